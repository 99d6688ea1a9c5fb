// One command on its way through the engine and back. Sessions own requests and lend them: from
// `Engine::submit` until the release callback a request belongs to the engine.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>

#include "base/byte_buffer.h"
#include "core/apply.h"
#include "core/command.h"

namespace engine {

// Order of service under pressure: what frees resources goes first, and last what takes the longer
// the more there is to look at.
enum class Lane : uint8_t { kFinish, kFetch, kPush, kRead };
inline constexpr size_t kLaneCount = 4;

// What keeps a session's commands in order and its replies within bounds. Outlives its requests.
struct SessionOrder {
  // What it has in the inbox, by lane. Guarded by the inbox.
  uint32_t pending[kLaneCount] = {};
  // Its requests are given back, until it clears this while the engine has none of them. Of whoever
  // has them.
  bool gives_back = false;
  // Its connection is closed: what it asked is of no use to anybody. The session sets it.
  std::atomic<bool> gone = false;
  // Of heavy replies that it has not passed on yet. The engine adds, the session subtracts.
  std::atomic<uint64_t> reply_bytes = 0;
};

struct Request {
  enum class Kind : uint8_t {
    kCommand,
    kClose,  // The session is gone: what it waits for ends unanswered, `ungot` is taken back.
  };
  Kind kind = Kind::kCommand;
  Lane lane = Lane::kPush;  // Of the command; it may have to wait in a later one.
  bool heavy = false;       // Its reply may hold whole jobs, values or many words.
  bool given_back = false;  // Nothing was done: the session owes too much, and gives it again.
  uint64_t session = 0;
  SessionOrder* order = nullptr;  // Of the session; outlives the request.

  base::ByteBuffer bytes;         // What `command` points into.
  std::deque<std::string> parts;  // The same for the members of an EXEC.
  core::Command command;
  core::Answer answer;
};

}  // namespace engine
