// A connection that comes back: sends a command until it is answered, as long as it may.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "dray/client.h"
#include "sdk/cpp/connection.h"

namespace dray::detail {

// How long pauses between goes get: they double from the first to the last, and half of each is
// drawn, so that clients that lost the server together do not come back together.
inline constexpr milliseconds kPauseFirst{25};
inline constexpr milliseconds kPauseLast{2'000};
milliseconds pause_after(int goes, base::Random& random);

// What connections are made from.
struct Target {
  Endpoint endpoint = {};
  std::string name = {};  // Of the connection, for people.
  milliseconds connect_timeout;
  milliseconds answer_timeout;
  milliseconds retry_for;
};
// Throws Error kBadReq for options that are none.
Target target_of(const ClientOptions& options);

// host:pid:random, different for each call.
std::string unique_name(base::Random& random);

// Whether an error reply says that the same command may succeed soon.
bool is_refused_for_now(const base::Error& error);
// How long the server asks to wait before the next go; 0 if it does not say.
milliseconds asked_pause(const base::Error& error);
// Whether waiting and connecting again can't mend it: a wrong password, say.
bool is_hopeless(const base::Error& error);

struct Exchange {
  std::string_view bytes;  // One command, or MULTI to EXEC.
  Repeat repeat = Repeat::kSafe;
  milliseconds wait{0};    // How long the command itself may take.
  milliseconds answer{0};  // 0: the target's answer_timeout.
  size_t replies = 1;      // The last one counts, or the first error.
};

// Threading: one owner at a time.
class Channel {
 public:
  // `wake` may be null; must outlive the channel.
  Channel(Target target, const Wake* wake);

  // Returns the reply, which may be an error that waiting does not mend. Errors: kIo when the time
  // (retry_for) is over and nothing was sent, kUnknown when it was sent and not answered,
  // kUnavailable when the wake was set; the codes of the server when it does not let us in.
  base::Result<protocol::RespValue> exchange(const Exchange& command);

  // The producer this channel is to the server, and its next push's number.
  const std::string& producer() const { return producer_; }
  uint64_t next_push() { return ++pushes_; }
  uint64_t next_batch() { return batches_++; }

  // For what sends and receives by itself: the connection, opened in one go if need be.
  base::Result<Connection*> connection();
  void drop() { connection_.reset(); }
  milliseconds pause(int goes) { return pause_after(goes, random_); }
  const Target& target() const { return target_; }

 private:
  base::Result<protocol::RespValue> go(const Exchange& command, bool& sent);
  // Waits before the next go; false when there is none because of `until` or the wake.
  bool wait_again(int goes, milliseconds least, Deadline until);

  Target target_;
  const Wake* wake_;
  base::SystemRandom random_;
  std::string producer_;
  uint64_t pushes_ = 0;
  uint64_t batches_ = 0;
  std::unique_ptr<Connection> connection_;
  bool was_open_ = false;
};

}  // namespace dray::detail
