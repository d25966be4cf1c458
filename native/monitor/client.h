// A connection to the monitor: one request, then streams and answers (protocol.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "backlog.h"
#include "container.h"
#include "loop.h"
#include "protocol.h"

namespace wherry {

class Monitor;
class Session;

class Client : public Source {
 public:
  // `starter`: the connection on which the container is started.
  Client(Monitor& monitor, int descriptor, bool starter);
  ~Client() override;

  void ready(uint32_t events) override;

  bool dead() const { return dead_; }
  bool starter() const { return starter_; }
  bool wants(uint8_t bit) const { return (streams_ & bit) != 0; }
  // Output beyond the backlog slows the process down instead of ending this connection.
  bool foreground() const { return foreground_; }
  bool choked() const { return backlog_full_; }
  Session* session() const { return session_; }

  // Which streams it wants, StreamBits.
  void want(uint8_t streams) { streams_ = streams; }
  // Becomes a client of a session's streams.
  void join(Session* session, bool foreground);
  void leave() { session_ = nullptr; }
  // Goes on with the stdin that its session could not take.
  void resume_input();

  void send(MonitorFrame type, const char* data, size_t length);
  void send_ok(const std::string& json);
  void send_error(const Failure& failure);
  void send_exit(int code, uint8_t flags);
  // The connection ends when all that has been sent is gone.
  void finish();
  // The connection ends now; it is deleted at the end of the loop's turn.
  void drop();

  bool waits_for_exit = false;
  // Answers only at the end for good.
  bool waits_for_end = false;

 private:
  void receive();
  void consume(const char* data, size_t length);
  // False: the frame is not allowed.
  bool begin_frame();
  bool end_frame();
  void half_close();
  void flush();
  void update_watch();

  Monitor& monitor_;
  Session* session_ = nullptr;
  Backlog backlog_;
  Timer patience_;
  uint8_t streams_ = 0;
  bool starter_;
  bool foreground_ = false;
  bool asked_ = false;
  bool dead_ = false;
  bool finishing_ = false;
  bool input_ended_ = false;
  bool backlog_full_ = false;
  bool input_blocked_ = false;

  char head_[kFrameHead];
  size_t head_length_ = 0;  // kFrameHead: inside a frame
  size_t left_ = 0;         // bytes of the payload to come
  std::string payload_;     // of any frame but stdin
  std::string blocked_;     // read from the socket but not yet consumed
};

// Gives the memory of the shared buffer back until it is needed again.
void release_input_buffer();

}  // namespace wherry
