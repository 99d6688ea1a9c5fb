#include "server/subscriptions.h"

#include "core/glob.h"

namespace server {

using protocol::CommandId;

namespace {

// What a name takes beside its bytes, and a message.
constexpr size_t kNameBytes = 96;
constexpr size_t kMessageBytes = 64;
// What all patterns of a connection may cost for one event: some 100 times what usual ones do.
constexpr size_t kGlobStepsMax = 100'000;

bool is_of_patterns(CommandId command) {
  return command == CommandId::kPsubscribe || command == CommandId::kPunsubscribe;
}

}  // namespace

bool Subscriptions::is_subscription(CommandId command) {
  return is_new(command) || command == CommandId::kUnsubscribe ||
         command == CommandId::kPunsubscribe;
}

bool Subscriptions::is_new(CommandId command) {
  return command == CommandId::kSubscribe || command == CommandId::kPsubscribe;
}

base::Status Subscriptions::check(CommandId command, const std::deque<std::string>& names) const {
  if (!is_new(command)) {
    // Each is answered with a message of its own.
    if (names.size() <= kChannelsMax) return {};
    return base::fail(base::ErrorCode::kTooBig, "limit={} got={} names: without any, all are ended",
                      kChannelsMax, names.size());
  }
  if (command == CommandId::kSubscribe && channels_.size() + names.size() > kChannelsMax) {
    return base::fail(base::ErrorCode::kTooBig,
                      "limit={} channels of one connection: a pattern stands for many (PSUBSCRIBE)",
                      kChannelsMax);
  }
  if (command == CommandId::kPsubscribe && patterns_.size() + names.size() > kPatternsMax) {
    return base::fail(base::ErrorCode::kTooBig,
                      "limit={} patterns of one connection: each event is held against each",
                      kPatternsMax);
  }
  for (const std::string& name : names) {
    if (name.size() <= kSubscriptionBytesMax) continue;
    return base::fail(base::ErrorCode::kTooBig, "limit={} bytes of a channel or pattern, got {}",
                      kSubscriptionBytesMax, name.size());
  }
  return {};
}

void Subscriptions::change(CommandId command, const std::deque<std::string>& names,
                           core::Reply& reply) {
  const bool adds = is_new(command);
  Names& all = is_of_patterns(command) ? patterns_ : channels_;
  const std::string_view word = is_of_patterns(command) ? (adds ? "psubscribe" : "punsubscribe")
                                                        : (adds ? "subscribe" : "unsubscribe");
  const auto confirm = [&](const std::string* name) {
    reply.push(3);
    reply.bulk(word);
    if (name != nullptr) {
      reply.bulk(*name);
    } else {
      reply.nil();
    }
    reply.integer(static_cast<int64_t>(size()));
  };
  const auto change_one = [&](const std::string& name) {
    if (adds && all.insert(name).second) bytes_ += name.size() + kNameBytes;
    if (!adds && all.erase(name) != 0) bytes_ -= name.size() + kNameBytes;
    confirm(&name);
  };
  if (names.empty()) {
    const Names ended = all;
    for (const std::string& name : ended) change_one(name);
    if (ended.empty()) confirm(nullptr);
  }
  for (const std::string& name : names) change_one(name);
}

void Subscriptions::clear() {
  channels_.clear();
  patterns_.clear();
  bytes_ = 0;
}

size_t Subscriptions::write_messages(std::string_view channel, std::string_view json, size_t room,
                                     core::Reply& reply) const {
  size_t left_out = 0;
  const size_t size = channel.size() + json.size() + kMessageBytes;
  const auto has_room = [&](size_t more) {
    const bool fits = reply.tape().size() + size + more <= room;
    if (!fits) ++left_out;
    return fits;
  };
  if (channels_.contains(channel) && has_room(0)) write_message(channel, json, reply);
  size_t steps = 0;
  for (const std::string& pattern : patterns_) {
    if (steps > kGlobStepsMax) {
      ++left_out;
      break;
    }
    if (!core::glob_matches(pattern, channel, steps) || !has_room(pattern.size())) continue;
    write_message(pattern, channel, json, reply);
  }
  return left_out;
}

void Subscriptions::write_notice(std::string_view json, core::Reply& reply) const {
  if (!channels_.empty()) return write_message(*channels_.begin(), json, reply);
  write_message(*patterns_.begin(), *patterns_.begin(), json, reply);
}

void Subscriptions::write_message(std::string_view channel, std::string_view json,
                                  core::Reply& reply) {
  reply.push(3);
  reply.bulk("message");
  reply.bulk(channel);
  reply.bulk(json);
}

void Subscriptions::write_message(std::string_view pattern, std::string_view channel,
                                  std::string_view json, core::Reply& reply) {
  reply.push(4);
  reply.bulk("pmessage");
  reply.bulk(pattern);
  reply.bulk(channel);
  reply.bulk(json);
}

}  // namespace server
