// The channels and patterns that one connection listens to, and the messages that Redis clients
// know them by.
//
// Threading: none; one owner.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "core/reply.h"
#include "protocol/command_spec.h"

namespace server {

inline constexpr size_t kChannelsMax = 1'000;
inline constexpr size_t kPatternsMax = 64;            // Each event is held against each of them.
inline constexpr size_t kSubscriptionBytesMax = 256;  // Of a channel or pattern.

class Subscriptions {
 public:
  static bool is_subscription(protocol::CommandId command);
  static bool is_new(protocol::CommandId command);  // SUBSCRIBE, PSUBSCRIBE.

  // Errors: TOOBIG for too many, or one that is too long.
  base::Status check(protocol::CommandId command, const std::deque<std::string>& names) const;
  // Answers one message for each name; without names (to end some), for all that there are.
  void change(protocol::CommandId command, const std::deque<std::string>& names,
              core::Reply& reply);
  void clear();

  size_t size() const { return channels_.size() + patterns_.size(); }
  size_t memory_bytes() const { return bytes_; }

  // One message for each channel or pattern that fits. Of those that would make the reply larger
  // than `room`, and of patterns whose comparison would take too long, only the number is returned.
  size_t write_messages(std::string_view channel, std::string_view json, size_t room,
                        core::Reply& reply) const;
  // One message for the client itself, under the first of its names. Requires: there is one.
  void write_notice(std::string_view json, core::Reply& reply) const;

 private:
  using Names = std::set<std::string, std::less<>>;

  static void write_message(std::string_view channel, std::string_view json, core::Reply& reply);
  static void write_message(std::string_view pattern, std::string_view channel,
                            std::string_view json, core::Reply& reply);

  Names channels_;
  Names patterns_;
  size_t bytes_ = 0;
};

}  // namespace server
