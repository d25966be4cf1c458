// The frames of src/runtime/monitor-protocol.ts.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wherry {

constexpr size_t kMaxFrame = 4u << 20;
constexpr size_t kFrameHead = 8;
constexpr size_t kExecIdLength = 64;

enum StreamBits : uint8_t { kWantStdin = 1, kWantStdout = 2, kWantStderr = 4, kWantTty = 8, kDetached = 16 };

enum class Request : uint8_t {
  kStart = 0x10,
  kAttach = 0x11,
  kExec = 0x12,
  kSignal = 0x13,
  kStop = 0x14,
  kPause = 0x15,
  kUnpause = 0x16,
  kWait = 0x17,
  kReload = 0x18,
  kResize = 0x19,
  kNetwork = 0x1a,
  kReleasePort = 0x1b,
  kNames = 0x1c,
  kHold = 0x1d,
};

enum class ClientFrame : uint8_t { kStdin = 0x01, kStdinEnd = 0x02, kResize = 0x03 };

enum class MonitorFrame : uint8_t { kStdout = 0x81, kStderr = 0x82, kOk = 0x83, kError = 0x84, kExit = 0x85 };

enum ExitFlag : uint8_t { kOomKilled = 1, kWillRestart = 2, kRemoved = 4 };

inline uint16_t read_u16(const char* p) {
  const unsigned char* b = reinterpret_cast<const unsigned char*>(p);
  return static_cast<uint16_t>(b[0] | b[1] << 8);
}

inline uint32_t read_u32(const char* p) {
  const unsigned char* b = reinterpret_cast<const unsigned char*>(p);
  return b[0] | static_cast<uint32_t>(b[1]) << 8 | static_cast<uint32_t>(b[2]) << 16 |
         static_cast<uint32_t>(b[3]) << 24;
}

inline void write_u32(char* p, uint32_t value) {
  for (int i = 0; i < 4; i++) p[i] = static_cast<char>(value >> (8 * i));
}

}  // namespace wherry
