#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace wherry {

namespace {

constexpr size_t kMaxPlan = 64 << 20;
constexpr size_t kMaxOps = 100000;

// Arguments that are bytes and not C strings: a NUL inside is fine there. Anywhere else it would cut a path
// short between two readers, so it is refused.
bool is_raw(OpCode code, unsigned argument) {
  switch (code) {
    case OpCode::kWriteHost:
    case OpCode::kAttachDeviceFilter:
    case OpCode::kPinAddress:
    case OpCode::kReservePorts:
    case OpCode::kForgetConnections:
    case OpCode::kForgetPorts:
      return argument == 1;
    case OpCode::kProxyPorts:
    case OpCode::kProxyLoopback:
      return argument == 1 || argument == 3;
    case OpCode::kPublishPorts:
    case OpCode::kUnpublishPorts:
      return argument == 4 || argument == 5;
    case OpCode::kLeadPorts:
    case OpCode::kUnleadPorts:
      return argument == 1 || argument == 2;
    case OpCode::kAllowInHostFilter:
      return argument == 5;
    case OpCode::kServeNames:
      return argument == 3;
    case OpCode::kNetlink:
      return argument == 2;
    case OpCode::kSeccomp:
      return argument == 0;
    default:
      return false;
  }
}

const OpInfo* find_op(uint16_t code) {
  for (const OpInfo& info : kOps) {
    if (static_cast<uint16_t>(info.code) == code) return &info;
  }
  return nullptr;
}

// A span of bytes that only gives what it has.
struct Reader {
  const uint8_t* at;
  const uint8_t* end;

  size_t left() const { return static_cast<size_t>(end - at); }
  template <typename T>
  bool number(T* out) {
    if (left() < sizeof(T)) return false;
    memcpy(out, at, sizeof(T));
    at += sizeof(T);
    return true;
  }
  bool string(bool raw, std::string_view* out) {
    uint32_t length;
    if (!number(&length) || left() <= length || at[length] != 0) return false;
    if (!raw && memchr(at, 0, length)) return false;
    *out = {reinterpret_cast<const char*>(at), length};
    at += static_cast<size_t>(length) + 1;
    return true;
  }
  bool take(uint32_t length, Reader* out) {
    if (left() < length) return false;
    *out = {at, at + length};
    at += length;
    return true;
  }
};

}  // namespace

// The decoder has the numbers that its error message needs.
class PlanDecoder {
 public:
  PlanDecoder(PlanView* plan, std::string* error) : plan_(plan), error_(error) {}

  bool decode(const uint8_t* bytes, size_t size) {
    Reader in{bytes, bytes + size};
    uint32_t version, count;
    if (size > kMaxPlan || in.left() < 4 || memcmp(in.at, "WPLN", 4) != 0) return fail("not a plan");
    in.at += 4;
    if (!in.number(&version) || version != kPlanVersion) return fail("another version");
    if (!in.number(&count)) return fail("cut short");
    for (uint32_t index = 0; index < count; index++) {
      uint32_t kind, length;
      Reader body;
      if (!in.number(&kind) || !in.number(&length) || !in.take(length, &body)) return fail("cut short");
      if (kind == 0 || kind >= PlanView::kSections) return fail("unknown section");
      section_ = kind;
      if (!plan_->sections_[kind].empty()) return fail("twice the same section");
      if (!decode_section(body, &plan_->sections_[kind])) return false;
    }
    section_ = 0;
    return in.left() == 0 || fail("bytes after its end");
  }

 private:
  bool decode_section(Reader in, std::vector<Op>* ops) {
    uint32_t count;
    if (!in.number(&count)) return fail("cut short");
    for (uint32_t index = 0; index < count; index++) {
      if (++total_ > kMaxOps) return fail("too many operations");
      op_ = static_cast<int>(index);
      uint16_t code, arguments;
      uint32_t length;
      Reader body;
      if (!in.number(&code) || !in.number(&arguments) || !in.number(&length) || !in.take(length, &body)) {
        return fail("cut short");
      }
      const OpInfo* info = find_op(code);
      if (!info) return fail("unknown operation");
      if (arguments != strlen(info->kinds)) return fail("wrong number of arguments");
      Op op;
      op.info_ = info;
      op.arguments_.resize(arguments);
      for (unsigned argument = 0; argument < arguments; argument++) {
        if (!decode_argument(*info, argument, &body, &op.arguments_[argument])) {
          return fail("argument is not what the operation takes");
        }
      }
      if (body.left() != 0) return fail("bytes after the arguments");
      ops->push_back(std::move(op));
    }
    op_ = -1;
    return in.left() == 0 || fail("bytes after the operations");
  }

  bool decode_argument(const OpInfo& info, unsigned argument, Reader* in, Op::Argument* out) {
    char kind;
    if (!in->number(&kind) || kind != info.kinds[argument]) return false;
    if (kind == 'i') return in->number(&out->number);
    if (kind == 's') return in->string(is_raw(info.code, argument), &out->text);
    uint32_t count;
    if (!in->number(&count) || count > in->left() / 5) return false;
    for (uint32_t index = 0; index < count; index++) {
      std::string_view item;
      if (!in->string(is_raw(info.code, argument), &item)) return false;
      out->list.push_back(item);
    }
    return true;
  }

  bool fail(const char* what) {
    *error_ = what;
    if (section_) *error_ += " (section " + std::to_string(section_) + ", operation " + std::to_string(op_) + ")";
    return false;
  }

  PlanView* plan_;
  std::string* error_;
  uint32_t section_ = 0;
  int op_ = -1;
  size_t total_ = 0;
};

const std::vector<Op>& PlanView::section(Section section) const {
  return sections_[static_cast<uint32_t>(section) % kSections];
}

bool PlanView::has(Section in, OpCode code) const {
  for (const Op& op : section(in)) {
    if (op.code() == code) return true;
  }
  return false;
}

const char* PlanView::setting(std::string_view key) const {
  for (const Op& op : section(Section::kSettings)) {
    if (op.code() == OpCode::kSet && op.text(0) == key) return op.path(1);
  }
  return "";
}

int64_t PlanView::setting_number(std::string_view key, int64_t otherwise) const {
  const char* value = setting(key);
  if (!*value) return otherwise;
  char* end;
  errno = 0;
  long long number = strtoll(value, &end, 10);
  return *end || errno ? otherwise : number;
}

bool plan_decode(const uint8_t* bytes, size_t size, PlanView* plan, std::string* error) {
  *plan = PlanView();
  if (PlanDecoder(plan, error).decode(bytes, size)) return true;
  *error = "malformed plan: " + *error;
  *plan = PlanView();
  return false;
}

bool plan_load(const char* path, PlanFile* file, std::string* error) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat info;
  bool ok = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  if (!ok) {
    *error = std::string("open ") + path + ": " + strerror(fd < 0 ? errno : EINVAL);
  } else if (static_cast<size_t>(info.st_size) > kMaxPlan) {
    ok = false;
    *error = std::string(path) + ": too large for a plan";
  } else {
    file->bytes.resize(static_cast<size_t>(info.st_size));
    size_t have = 0;
    while (have < file->bytes.size()) {
      ssize_t got = read(fd, file->bytes.data() + have, file->bytes.size() - have);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      have += static_cast<size_t>(got);
    }
    file->bytes.resize(have);
    ok = plan_decode(file->bytes.data(), file->bytes.size(), &file->plan, error);
  }
  if (fd >= 0) close(fd);
  return ok;
}

}  // namespace wherry
