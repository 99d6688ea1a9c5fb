#include "dray/keys.h"

#include "dray/client.h"
#include "sdk/cpp/set_words.h"

namespace dray {

bool Keys::set(std::string_view name, std::string_view value, const SetOptions& options) {
  const Repeat repeat = detail::may_be_repeated(options) ? Repeat::kSafe : Repeat::kNever;
  return client_.call(detail::set_words(name, value, options), repeat).kind != Value::Kind::kNil;
}

std::optional<std::string> Keys::get(std::string_view name) {
  Value value = client_.call({"GET", std::string(name)}, Repeat::kSafe);
  if (value.kind == Value::Kind::kNil) return std::nullopt;
  return std::move(value.text);
}

void Keys::remove(std::string_view name) {
  client_.call({"DEL", std::string(name)}, Repeat::kSafe);
}

int64_t Keys::add(std::string_view name, int64_t by) {
  return client_.call({"INCRBY", std::string(name), std::to_string(by)}).integer;
}

bool Keys::expire_in(std::string_view name, milliseconds ttl) {
  const std::string ms = std::to_string(ttl.count());
  return client_.call({"PEXPIRE", std::string(name), ms}, Repeat::kSafe).integer == 1;
}

std::optional<milliseconds> Keys::time_left(std::string_view name) {
  // -2: no such key; -1: it has no end.
  const int64_t ms = client_.call({"PTTL", std::string(name)}, Repeat::kSafe).integer;
  if (ms < 0) return std::nullopt;
  return milliseconds(ms);
}

}  // namespace dray
