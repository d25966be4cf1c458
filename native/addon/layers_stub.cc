#include "binding.h"
namespace wherry { void export_layers(Napi::Env, Napi::Object) {} }
