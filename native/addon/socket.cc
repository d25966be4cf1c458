#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <cstring>
#include <memory>

#include "binding.h"
#include "kernel/fd.h"

/**
 * Stream sockets in Node's event loop without node:net and the streams that it stands on, whose loading takes as
 * long as all the rest of a short command. libuv is exported by every Node, with one ABI since 1.0.
 */
namespace wherry {
namespace {

constexpr size_t kPiece = 64 * 1024;

/** Lives until libuv has let go of it and JavaScript has forgotten the last of its functions. */
struct Link {
  uv_poll_t poll = {};
  int fd = -1;
  napi_env env = nullptr;
  Napi::FunctionReference listener;
  std::unique_ptr<Napi::AsyncContext> async;
  napi_async_cleanup_hook_handle hook = nullptr;
  bool open = false;
  /** What libuv has of it. */
  std::shared_ptr<Link> self;
};

/** Idempotent; on the JavaScript thread. */
void close_link(Link &link) {
  if (!link.open) return;
  link.open = false;
  link.listener.Reset();
  link.async.reset();
  uv_poll_stop(&link.poll);
  close(link.fd);
  uv_close(reinterpret_cast<uv_handle_t *>(&link.poll), [](uv_handle_t *handle) {
    auto *link = static_cast<Link *>(handle->data);
    napi_remove_async_cleanup_hook(link->hook);
    std::shared_ptr<Link> last = std::move(link->self);
  });
}

/** Calls the listener as the event loop calls any: with what it has queued run afterwards. */
void tell(Link &link, Napi::Env env, Napi::Value event) {
  // The listener may close the link, and with it what it is called through.
  std::shared_ptr<Link> held = link.self;
  link.listener.MakeCallback(env.Global(), {event}, *link.async);
  if (env.IsExceptionPending()) napi_fatal_exception(env, env.GetAndClearPendingException().Value());
}

void on_event(uv_poll_t *handle, int status, int events) {
  auto &link = *static_cast<Link *>(handle->data);
  Napi::Env env(link.env);
  Napi::HandleScope scope(env);
  if (status < 0) return tell(link, env, to_error(env, system_failure(-status, "poll")).Value());
  if ((events & UV_WRITABLE) != 0) tell(link, env, env.Undefined());
  if (!link.open || (events & (UV_READABLE | UV_DISCONNECT)) == 0) return;
  static char piece[kPiece];
  ssize_t size = recv(link.fd, piece, sizeof piece, MSG_DONTWAIT);
  if (size < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    return tell(link, env, to_error(env, system_failure(errno, "recv")).Value());
  }
  if (size == 0) return tell(link, env, env.Null());
  tell(link, env, Napi::Buffer<char>::Copy(env, piece, static_cast<size_t>(size)));
}

/** watch(reading, writing) */
Napi::Value watch(Link &link, const Napi::CallbackInfo &info) {
  bool reading, writing;
  if (!get_arguments(info, reading, writing) || !link.open) return info.Env().Undefined();
  int events = (reading ? UV_READABLE : 0) | (writing ? UV_WRITABLE : 0);
  int error = events == 0 ? uv_poll_stop(&link.poll) : uv_poll_start(&link.poll, events, on_event);
  return error == 0 ? info.Env().Undefined() : throw_failure(info.Env(), system_failure(-error, "poll"));
}

/** write(data): number of bytes that the socket has taken */
Napi::Value write(Link &link, const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    Napi::TypeError::New(env, "a Uint8Array was expected").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  if (!link.open) return throw_failure(env, system_failure(EBADF, "send"));
  auto data = info[0].As<Napi::Uint8Array>();
  ssize_t size;
  do {
    size = send(link.fd, data.Data(), data.ByteLength(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && errno != EAGAIN) return throw_failure(env, system_failure(errno, "send"));
  return Napi::Number::New(env, static_cast<double>(size < 0 ? 0 : size));
}

Napi::Value close_socket(Link &link, const Napi::CallbackInfo &info) {
  close_link(link);
  return info.Env().Undefined();
}

using Method = Napi::Value (*)(Link &link, const Napi::CallbackInfo &info);

Napi::Function method(Napi::Env env, const char *name, const std::shared_ptr<Link> &link, Method call) {
  return Napi::Function::New(env, [link, call](const Napi::CallbackInfo &info) { return call(*link, info); }, name);
}

/** openSocket(fd, listener): an object with watch, write, close; the descriptor is its own from now on. */
Napi::Value open_socket(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  int fd;
  if (!get_arguments(info, fd)) return env.Undefined();
  if (!info[1].IsFunction()) {
    Napi::TypeError::New(env, "argument 2 must be a function").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  auto link = std::make_shared<Link>();
  uv_loop_s *loop;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return throw_failure(env, own_failure("ELOOP", "no event loop", ""));
  if (int error = uv_poll_init(loop, &link->poll, fd); error != 0)
    return throw_failure(env, system_failure(-error, "poll"));
  link->poll.data = link.get();
  link->fd = fd;
  link->env = env;
  link->listener = Napi::Persistent(info[1].As<Napi::Function>());
  link->async = std::make_unique<Napi::AsyncContext>(env, "wherry");
  link->open = true;
  link->self = link;
  // A worker's event loop must be empty at its end.
  napi_add_async_cleanup_hook(
      env, [](napi_async_cleanup_hook_handle, void *data) { close_link(*static_cast<Link *>(data)); }, link.get(),
      &link->hook);
  Napi::Object socket = Napi::Object::New(env);
  socket.Set("watch", method(env, "watch", link, watch));
  socket.Set("write", method(env, "write", link, write));
  socket.Set("close", method(env, "close", link, close_socket));
  return socket;
}

/** connectSocket(path): number. Never waits: a listener whose queue is full is EAGAIN. */
Napi::Value connect_socket(const Napi::CallbackInfo &info) {
  std::string path;
  if (!get_arguments(info, path)) return info.Env().Undefined();
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return throw_failure(info.Env(), system_failure(ENAMETOOLONG, "connect", path));
  }
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return throw_failure(info.Env(), system_failure(errno, "socket"));
  int result;
  do {
    result = connect(fd.get(), reinterpret_cast<sockaddr *>(&address), sizeof address);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return throw_failure(info.Env(), system_failure(errno, "connect", path));
  return Napi::Number::New(info.Env(), fd.release());
}

/** socketPair(): [number, number]. Streams; both ends wait. */
Napi::Value socket_pair(const Napi::CallbackInfo &info) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return throw_failure(info.Env(), system_failure(errno, "socketpair"));
  }
  Napi::Array ends = Napi::Array::New(info.Env(), 2);
  for (uint32_t end = 0; end < 2; ++end) ends.Set(end, Napi::Number::New(info.Env(), pair[end]));
  return ends;
}

}  // namespace

void export_sockets(Napi::Env env, Napi::Object exports) {
  exports.Set("openSocket", Napi::Function::New(env, open_socket, "openSocket"));
  exports.Set("connectSocket", Napi::Function::New(env, connect_socket, "connectSocket"));
  exports.Set("socketPair", Napi::Function::New(env, socket_pair, "socketPair"));
}

}  // namespace wherry
