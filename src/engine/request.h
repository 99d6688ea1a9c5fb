// One command on its way through the engine and back. Sessions own requests and lend them: from
// `Engine::submit` until the release callback a request belongs to the engine.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "core/apply.h"
#include "core/command.h"

namespace engine {

// Order of service under pressure: what frees resources goes first.
enum class Lane : uint8_t { kFinish, kFetch, kPush };
inline constexpr size_t kLaneCount = 3;

// What a session has in the inbox, by lane: keeps its commands in order across lanes.
// Guarded by the inbox.
struct SessionOrder {
  uint32_t pending[kLaneCount] = {};
};

struct Request {
  enum class Kind : uint8_t {
    kCommand,
    kClose,  // The session is gone: what it waits for ends unanswered, `ungot` is taken back.
  };
  Kind kind = Kind::kCommand;
  Lane lane = Lane::kPush;
  uint64_t session = 0;
  SessionOrder* order = nullptr;  // Of the session; outlives the request.

  std::string bytes;              // What `command` points into.
  std::deque<std::string> parts;  // The same for the members of an EXEC.
  core::Command command;
  core::Answer answer;
};

}  // namespace engine
