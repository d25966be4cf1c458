#include "led_ports_programs.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

namespace wherry {

namespace {

// r0 is what a helper gives, r1 to r5 are its arguments and lost then; r10 is the frame.
enum Register : uint8_t { r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, frame };

constexpr Register kContext = r6, kAddress = r7, kPort = r8, kSocket = r9;

constexpr int16_t kKey = -static_cast<int16_t>(sizeof(LedPort));
constexpr int16_t kLed = kKey - static_cast<int16_t>(sizeof(LedSocket));
// A sockaddr_in or a sockaddr_in6, of whole words.
constexpr int16_t kName = kLed - 32;

// An address that no interface has (RFC 7600): who can be bound to it can be bound to any.
constexpr uint32_t kNobodysAddress = 0xc0000008;
constexpr uint32_t kClassA = 0xff000000, kLoopbackNetwork = 0x7f000000, kMulticastOrReserved = 0xe0000000;

class Assembler {
 public:
  void emit(uint8_t code, uint8_t to, uint8_t from, int16_t offset, int32_t value) {
    bpf_insn instruction = {};
    instruction.code = code;
    instruction.dst_reg = to & 0xf;
    instruction.src_reg = from & 0xf;
    instruction.off = offset;
    instruction.imm = value;
    code_.push_back(instruction);
  }
  void move(Register to, Register from) { emit(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0); }
  void set(Register to, int32_t value) { emit(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value); }
  // Unlike `set` without a sign.
  void set32(Register to, uint32_t value) { emit(BPF_ALU | BPF_MOV | BPF_K, to, 0, 0, static_cast<int32_t>(value)); }
  void add(Register to, int32_t value) { emit(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value); }
  void mask32(Register to, uint32_t bits) { emit(BPF_ALU | BPF_AND | BPF_K, to, 0, 0, static_cast<int32_t>(bits)); }
  void load32(Register to, Register from, int offset) {
    emit(BPF_LDX | BPF_W | BPF_MEM, to, from, static_cast<int16_t>(offset), 0);
  }
  void load64(Register to, Register from, int offset) {
    emit(BPF_LDX | BPF_DW | BPF_MEM, to, from, static_cast<int16_t>(offset), 0);
  }
  void store32(Register to, int offset, Register from) {
    emit(BPF_STX | BPF_W | BPF_MEM, to, from, static_cast<int16_t>(offset), 0);
  }
  void store64(Register to, int offset, Register from) {
    emit(BPF_STX | BPF_DW | BPF_MEM, to, from, static_cast<int16_t>(offset), 0);
  }
  void store_value16(Register to, int offset, uint16_t value) {
    emit(BPF_ST | BPF_H | BPF_MEM, to, 0, static_cast<int16_t>(offset), value);
  }
  void store_value32(Register to, int offset, uint32_t value) {
    emit(BPF_ST | BPF_W | BPF_MEM, to, 0, static_cast<int16_t>(offset), static_cast<int32_t>(value));
  }
  void map(Register to, int fd) {
    emit(BPF_LD | BPF_DW | BPF_IMM, to, BPF_PSEUDO_MAP_FD, 0, fd);
    emit(0, 0, 0, 0, 0);
  }
  void call(int32_t helper) { emit(BPF_JMP | BPF_CALL, 0, 0, 0, helper); }

  // To the end: the program lets the call go on as it is.
  void pass_unless32(Register value, uint32_t wanted) { jump_out(BPF_JMP32 | BPF_JNE | BPF_K, value, 0, wanted); }
  void pass_if32(Register value, uint32_t unwanted) { jump_out(BPF_JMP32 | BPF_JEQ | BPF_K, value, 0, unwanted); }
  void pass_unless_same32(Register value, Register wanted) { jump_out(BPF_JMP32 | BPF_JNE | BPF_X, value, wanted, 0); }
  void pass_if_same32(Register value, Register unwanted) { jump_out(BPF_JMP32 | BPF_JEQ | BPF_X, value, unwanted, 0); }
  void pass_if_null(Register value) { jump_out(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 0); }
  void pass() { jump_out(BPF_JMP | BPF_JA, r0, 0, 0); }

  // To where `land` is called with what this gives.
  size_t jump_unless_zero(Register value) {
    emit(BPF_JMP | BPF_JNE | BPF_K, value, 0, 0, 0);
    return code_.size() - 1;
  }
  size_t jump_if32(Register value, uint32_t wanted) {
    emit(BPF_JMP32 | BPF_JEQ | BPF_K, value, 0, 0, static_cast<int32_t>(wanted));
    return code_.size() - 1;
  }
  void land(size_t jump) { code_[jump].off = static_cast<int16_t>(code_.size() - jump - 1); }

  std::vector<bpf_insn> finish() {
    for (size_t jump : out_) land(jump);
    set(r0, 1);
    emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    return std::move(code_);
  }

 private:
  void jump_out(uint8_t code, Register value, uint8_t other, uint32_t number) {
    out_.push_back(code_.size());
    emit(code, value, other, 0, static_cast<int32_t>(number));
  }

  std::vector<bpf_insn> code_;
  std::vector<size_t> out_;
};

constexpr size_t address_offset(bool ipv6) {
  return ipv6 ? offsetof(bpf_sock_addr, user_ip6) + 12 : offsetof(bpf_sock_addr, user_ip4);
}

// Leaves those of IPv6 that aren't ::ffff:0:0/96.
void load_address(Assembler& code, bool ipv6) {
  const uint32_t mapped[] = {0, 0, htonl(0xffff)};
  for (size_t word = 0; ipv6 && word < 3; word++) {
    code.load32(r1, kContext, offsetof(bpf_sock_addr, user_ip6) + word * 4);
    code.pass_unless32(r1, mapped[word]);
  }
  code.load32(kAddress, kContext, address_offset(ipv6));
}

void look_up(Assembler& code, int map) {
  code.map(r1, map);
  code.move(r2, frame);
  code.add(r2, kKey);
  code.call(BPF_FUNC_map_lookup_elem);
}

// Where the socket's address is in the name that it is bound to.
constexpr int name_offset(bool ipv6) {
  return kName + static_cast<int>(ipv6 ? offsetof(sockaddr_in6, sin6_addr) + 12 : offsetof(sockaddr_in, sin_addr));
}

// The name with port 0, and an address of zeros.
void prepare_name(Assembler& code, bool ipv6) {
  for (int word = 0; word < 32; word += 4) code.store_value32(frame, kName + word, 0);
  code.store_value16(frame, kName, ipv6 ? AF_INET6 : AF_INET);
}

void bind_to_name(Assembler& code, bool ipv6) {
  code.move(r1, kContext);
  code.move(r2, frame);
  code.add(r2, kName);
  code.set(r3, ipv6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
  code.call(BPF_FUNC_bind);
}

// For a socket that is bound to an address. Lets it go, unless it was led before and has been bound for that: such a
// one is as free again as it was, wherever it goes now. But it may be this very connect that is led: where the last
// monitor that held a set of programs is ending, and another one has come, there are two for a moment.
void unbind(Assembler& code, bool ipv6, int sockets_map) {
  code.map(r1, sockets_map);
  code.move(r2, kSocket);
  code.set(r3, 0);
  code.set(r4, 0);
  code.call(BPF_FUNC_sk_storage_get);
  code.pass_if_null(r0);
  code.load32(r1, r0, offsetof(LedSocket, given) + offsetof(LedTarget, address));
  code.load32(r2, kContext, address_offset(ipv6));
  code.pass_if_same32(r1, r2);
  code.load32(r2, r0, offsetof(LedSocket, wanted) + offsetof(LedTarget, address));
  code.load32(r1, kSocket, offsetof(bpf_sock, src_ip4));
  code.pass_unless_same32(r1, r2);
  code.mask32(r1, htonl(kClassA));
  code.pass_if32(r1, htonl(kLoopbackNetwork));
  prepare_name(code, ipv6);
  bind_to_name(code, ipv6);
  code.pass_unless32(r0, 0);
}

// Binds the socket to where it connects to, which only an address of the host allows, and most often is what the
// connection would have come from. (A subnet's broadcast address allows it, too: it then leads where the kernel would
// have refused.) Lets those go that aren't led: to another host, and who have a port or can be bound to what isn't the
// host's (IP_FREEBIND, IP_TRANSPARENT, the sysctl ip_nonlocal_bind).
void bind_to_address(Assembler& code, bool ipv6) {
  code.move(r1, kAddress);
  code.mask32(r1, htonl(kClassA));
  code.pass_if32(r1, 0);
  code.mask32(r1, htonl(kMulticastOrReserved));
  code.pass_if32(r1, htonl(kMulticastOrReserved));
  prepare_name(code, ipv6);
  if (ipv6) code.store_value32(frame, name_offset(ipv6) - 4, htonl(0xffff));
  code.store32(frame, name_offset(ipv6), kAddress);
  bind_to_name(code, ipv6);
  code.pass_unless32(r0, 0);
  code.store_value32(frame, name_offset(ipv6), htonl(kNobodysAddress));
  bind_to_name(code, ipv6);
  size_t local = code.jump_unless_zero(r0);
  code.store_value32(frame, name_offset(ipv6), 0);
  if (ipv6) code.store_value32(frame, name_offset(ipv6) - 4, 0);
  bind_to_name(code, ipv6);
  code.pass();
  code.land(local);
}

}  // namespace

std::vector<bpf_insn> connect_program(bool ipv6, int ports_map, int sockets_map) {
  Assembler code;
  code.move(kContext, r1);
  code.load32(r1, kContext, offsetof(bpf_sock_addr, type));
  code.pass_unless32(r1, SOCK_STREAM);
  code.load32(r1, kContext, offsetof(bpf_sock_addr, protocol));
  code.pass_unless32(r1, IPPROTO_TCP);
  // From an address of the loopback, or by its device, nothing reaches a container. With another one that is the
  // client's to choose, what it sends is translated.
  code.emit(BPF_LDX | BPF_DW | BPF_MEM, kSocket, kContext, offsetof(bpf_sock_addr, sk), 0);
  code.pass_if_null(kSocket);
  code.load32(r1, kSocket, offsetof(bpf_sock, bound_dev_if));
  code.pass_unless32(r1, 0);
  code.load32(r1, kSocket, offsetof(bpf_sock, src_ip4));
  size_t unbound = code.jump_if32(r1, 0);
  unbind(code, ipv6, sockets_map);
  code.land(unbound);

  load_address(code, ipv6);
  // 0.0.0.0 is 127.0.0.1 for a client.
  size_t given = code.jump_unless_zero(kAddress);
  code.set32(kAddress, htonl(INADDR_LOOPBACK));
  code.land(given);
  code.load32(kPort, kContext, offsetof(bpf_sock_addr, user_port));

  // The most of what isn't for us ends here.
  code.move(r1, kContext);
  code.call(BPF_FUNC_get_netns_cookie);
  code.store64(frame, kKey + static_cast<int>(offsetof(LedPort, namespace_cookie)), r0);
  code.store_value32(frame, kKey + static_cast<int>(offsetof(LedPort, address)), 0);
  code.store32(frame, kKey + static_cast<int>(offsetof(LedPort, port)), kPort);
  look_up(code, ports_map);
  size_t found = code.jump_unless_zero(r0);
  code.store32(frame, kKey + static_cast<int>(offsetof(LedPort, address)), kAddress);
  look_up(code, ports_map);
  code.pass_if_null(r0);
  code.land(found);

  constexpr int wanted = kLed + static_cast<int>(offsetof(LedSocket, wanted));
  constexpr int led = kLed + static_cast<int>(offsetof(LedSocket, given));
  code.store32(frame, wanted + static_cast<int>(offsetof(LedTarget, address)), kAddress);
  code.store32(frame, wanted + static_cast<int>(offsetof(LedTarget, port)), kPort);
  code.load32(r1, r0, offsetof(LedTarget, address));
  code.store32(frame, led + static_cast<int>(offsetof(LedTarget, address)), r1);
  code.load32(r1, r0, offsetof(LedTarget, port));
  code.store32(frame, led + static_cast<int>(offsetof(LedTarget, port)), r1);

  // A client of the loopback comes from the network's gateway, as nothing leaves the host with a loopback address.
  code.move(r1, kAddress);
  code.mask32(r1, htonl(kClassA));
  size_t loopback = code.jump_if32(r1, htonl(kLoopbackNetwork));
  bind_to_address(code, ipv6);
  code.land(loopback);

  code.load32(r1, frame, led + static_cast<int>(offsetof(LedTarget, address)));
  code.store32(kContext, static_cast<int>(address_offset(ipv6)), r1);
  code.load32(r1, frame, led + static_cast<int>(offsetof(LedTarget, port)));
  code.store32(kContext, offsetof(bpf_sock_addr, user_port), r1);

  code.map(r1, sockets_map);
  code.move(r2, kSocket);
  code.move(r3, frame);
  code.add(r3, kLed);
  code.set(r4, BPF_SK_STORAGE_GET_F_CREATE);
  code.call(BPF_FUNC_sk_storage_get);
  code.pass_if_null(r0);
  // One that connects again has what was there before.
  for (int part = 0; part < static_cast<int>(sizeof(LedSocket)); part += 8) {
    code.load64(r1, frame, kLed + part);
    code.store64(r0, part, r1);
  }
  return code.finish();
}

std::vector<bpf_insn> peer_name_program(bool ipv6, int sockets_map) {
  Assembler code;
  code.move(kContext, r1);
  load_address(code, ipv6);
  code.load32(kPort, kContext, offsetof(bpf_sock_addr, user_port));
  code.emit(BPF_LDX | BPF_DW | BPF_MEM, r2, kContext, offsetof(bpf_sock_addr, sk), 0);
  code.pass_if_null(r2);
  code.map(r1, sockets_map);
  code.set(r3, 0);
  code.set(r4, 0);
  code.call(BPF_FUNC_sk_storage_get);
  code.pass_if_null(r0);
  // It may have connected to somebody else since.
  constexpr size_t led = offsetof(LedSocket, given);
  code.load32(r1, r0, led + offsetof(LedTarget, address));
  code.pass_unless_same32(r1, kAddress);
  code.load32(r1, r0, led + offsetof(LedTarget, port));
  code.pass_unless_same32(r1, kPort);
  code.load32(r1, r0, offsetof(LedSocket, wanted) + offsetof(LedTarget, address));
  code.store32(kContext, static_cast<int>(address_offset(ipv6)), r1);
  code.load32(r1, r0, offsetof(LedSocket, wanted) + offsetof(LedTarget, port));
  code.store32(kContext, offsetof(bpf_sock_addr, user_port), r1);
  return code.finish();
}

}  // namespace wherry
