// What connections may take and how long they may take for it. docs/limits.md has the table.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/limits.h"

namespace server {

// What tests choose smaller. Times count in ticks: they are upper bounds for strangers and
// sluggards, not promises.
struct ConnectionLimits {
  size_t connections_max = 10'000;
  size_t strangers_max = 1'024;  // Who did not log in yet.
  size_t strangers_of_address_max = 64;
  uint32_t failed_logins_max = 10;  // Of one address, in a minute.
  std::chrono::milliseconds failed_login_delay{100};

  std::chrono::milliseconds tick{1'000};
  uint32_t login_ticks = 5;
  uint32_t request_ticks = 30;  // Then a request that has begun must be there, or be coming.
  // For a peer that takes too little of what it is owed. Less than the time after which the kernel
  // would end the connection, without a word to anybody (kUserTimeoutMs).
  uint32_t owing_ticks = 6;
  uint32_t held_back_ticks = 2;
  uint32_t linger_ticks = 2;  // For a peer to see why it is turned away.
};

// Connections that only this machine gets when the others are used up: whoever is to look after it.
inline constexpr size_t kConnectionsReserved = 16;
// Answers that one connection gets at once, without the engine, before others have their turn.
inline constexpr size_t kAnswersAtOnce = 128;
// Connections that were turned away and have time to see why; beyond it, they are closed at once.
inline constexpr size_t kTurnedAwayMax = 64;
// Replies that are owed; beyond it a connection is not read further.
inline constexpr size_t kSlotsMax = 1'000;
// Those of them that may hold whole jobs or values.
inline constexpr size_t kHeavyMax = 64;
// Bytes of replies that the peer does not take; beyond it the connection is not read further, and a
// peer that takes less than this in `owing_ticks` is closed.
inline constexpr size_t kOwedBytesMax = size_t{1} << 20;
// The same for a stranger.
inline constexpr size_t kOwedBytesMaxStranger = size_t{4} << 10;
// A request that takes long must bring at least this much in a tick.
inline constexpr size_t kRequestBytesPerTick = size_t{1} << 10;
// What one connection may hold and still be read while all hold much, and very much.
inline constexpr size_t kHeldBytesYellow = size_t{64} << 10;
inline constexpr size_t kHeldBytesRed = size_t{16} << 10;
// What is read of a peer that is turned away, so that it sees the reason before a reset.
inline constexpr size_t kLingerBytesMax = size_t{1} << 20;

inline constexpr size_t kHttpConnectionsMax = 128;
inline constexpr size_t kHttpConnectionsReserved = 16;  // For this machine.
inline constexpr size_t kHttpUrlBytesMax = size_t{8} << 10;
inline constexpr size_t kHttpHeadersMax = 100;
inline constexpr size_t kHttpHeaderBytesMax = size_t{16} << 10;
inline constexpr size_t kHttpBodyBytesMax = size_t{16} << 10;
inline constexpr size_t kHttpBodyBytesPerSecond = size_t{1} << 10;
inline constexpr std::chrono::seconds kHttpHeaderTime{10};
inline constexpr std::chrono::seconds kHttpIdleTime{300};
// For a client to see the last answer.
inline constexpr std::chrono::seconds kHttpLingerTime{2};

static_assert(kOwedBytesMax < core::limits::kReplyBytesMax, "one large reply is always sent");
static_assert(kHttpUrlBytesMax < kHttpHeaderBytesMax);
static_assert(kHeldBytesRed < kHeldBytesYellow);

}  // namespace server
