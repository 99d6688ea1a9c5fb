// Commands on keys: SET, GET, MGET, DEL, EXISTS, EXPIRE, TTL, PERSIST, INCR and their kin, SCAN.
// Replies and the texts of ERR are those of Redis.
#include <algorithm>
#include <charconv>
#include <limits>

#include "core/context.h"
#include "core/glob.h"

namespace core {

using base::ErrorCode;
using base::Status;

namespace {

constexpr std::string_view kNoInteger = "value is not an integer or out of range";

Status check_keys(const std::vector<std::string_view>& names) {
  TRY(check_range("keys", static_cast<int64_t>(names.size()),
                  {1, static_cast<int64_t>(limits::kBatchItemsMax)}));
  for (const std::string_view name : names) TRY(check_key(name));
  return {};
}

Status check_life(std::string_view command, int64_t ms, int64_t most) {
  if (ms >= 1 && ms <= most) return {};
  return base::fail(ErrorCode::kErr, "invalid expire time in '{}' command", command);
}

tl::unexpected<base::Error> no_room(const Keys& keys, uint64_t bytes) {
  return base::fail(ErrorCode::kQuota,
                    "limit={} got={} bytes of keys: delete some, or give them an end (EXPIRE)",
                    keys.bytes_max(), bytes);
}

// Writes the key, if there is room. On an error nothing has changed.
Status put_key(Context& context, const KeyPut& put) {
  const Keys& keys = context.state.keys();
  if (context.push_refusal != nullptr) return tl::unexpected(*context.push_refusal);
  if (const auto bytes = keys.bytes_beyond(put.name, put.value.size())) {
    return no_room(keys, *bytes);
  }
  emit(context, put);
  return {};
}

// Gives a key that is there an end, or takes it.
Status put_expiry(Context& context, const KeyExpiryPut& put) {
  if (context.push_refusal != nullptr) return tl::unexpected(*context.push_refusal);
  emit(context, put);
  return {};
}

// Also one that is over, so that it can't come back.
void remove_key(Context& context, std::string_view name) {
  if (context.state.keys().holds(name)) emit(context, KeyRemoved{name});
}

// Of what is no string, as MGET does: nil.
void write_value(Reply& reply, const Keys::Entry* entry) {
  entry == nullptr || entry->hash ? reply.nil() : reply.bulk(entry->value);
}

Status check_set(const KeySet& set) {
  TRY(check_key(set.key));
  TRY(check_bytes("value", set.value.size(), limits::kKeyValueBytesMax));
  if (set.life == KeySet::Life::kFor) return check_life("set", set.life_ms, limits::kDurationMsMax);
  if (set.life == KeySet::Life::kUntil)
    return check_life("set", set.life_ms, limits::kKeyWallMsMax);
  return {};
}

KeyExpiry expiry_of(const KeySet& set, const Keys::Entry* old, base::Now now) {
  switch (set.life) {
    case KeySet::Life::kForever:
      break;
    case KeySet::Life::kKept:
      if (old != nullptr) return old->expiry;
      break;
    case KeySet::Life::kFor:
      return {KeyExpiry::Clock::kEngine, (now.engine + base::Duration{set.life_ms}).ms};
    case KeySet::Life::kUntil:
      return {KeyExpiry::Clock::kWall, set.life_ms};
  }
  return {};
}

// The key's number and `add` together.
base::Result<int64_t> sum_of(const Keys::Entry* entry, const KeyAdd& add) {
  const std::optional<int64_t> before = entry == nullptr ? 0 : integer_of(entry->value);
  if (!before) return base::fail(ErrorCode::kErr, "{}", kNoInteger);
  int64_t sum = 0;
  const bool overflow = add.down ? __builtin_sub_overflow(*before, add.by, &sum)
                                 : __builtin_add_overflow(*before, add.by, &sum);
  if (overflow) return base::fail(ErrorCode::kErr, "increment or decrement would overflow");
  return sum;
}

}  // namespace

Status check_key(std::string_view name) {
  if (!name.empty() && name.size() <= limits::kKeyNameBytesMax) return {};
  return base::fail(ErrorCode::kBadReq, "field=key must have 1 to {} bytes, got {}",
                    limits::kKeyNameBytesMax, name.size());
}

base::Error wrong_type() {
  return {ErrorCode::kWrongType, "Operation against a key holding the wrong kind of value"};
}

const Keys::Entry* entry_of(const Context& context, std::string_view name) {
  return context.state.keys().find(name, context.now);
}

Status check_key_growth(const Context& context, int64_t more) {
  if (context.push_refusal != nullptr) return tl::unexpected(*context.push_refusal);
  const Keys& keys = context.state.keys();
  if (const auto bytes = keys.bytes_beyond(more)) return no_room(keys, *bytes);
  return {};
}

std::optional<int64_t> integer_of(std::string_view text) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc{} || stop != end || std::to_string(number) != text) return std::nullopt;
  return number;
}

void apply_key_set(Context& context, const KeySet& set, Answer& answer) {
  if (const Status fits = check_set(set); !fits) return answer.reply.error(fits.error());
  const Keys::Entry* old = entry_of(context, set.key);
  if (set.get && old != nullptr && old->hash) return answer.reply.error(wrong_type());
  if (set.get) write_value(answer.reply, old);  // Before it is overwritten.
  const bool wanted =
      set.only == KeySet::Only::kAlways || (set.only == KeySet::Only::kPresent) == (old != nullptr);
  if (!wanted) {
    if (!set.get) answer.reply.nil();
    return;
  }
  const KeyExpiry expiry = expiry_of(set, old, context.now);
  if (expiry.is_over(context.now)) {
    remove_key(context, set.key);
  } else if (const Status done = put_key(context, {set.key, set.value, expiry}); !done) {
    answer.reply.clear();
    return answer.reply.error(done.error());
  }
  if (!set.get) answer.reply.ok();
}

void apply_key_get(Context& context, const KeyGet& get, Answer& answer) {
  if (const Status fits = check_key(get.key); !fits) return answer.reply.error(fits.error());
  const Keys::Entry* entry = entry_of(context, get.key);
  if (entry != nullptr && entry->hash) return answer.reply.error(wrong_type());
  write_value(answer.reply, entry);
}

void apply_keys_get(Context& context, const KeysGet& get, Answer& answer) {
  Status fits = check_keys(get.keys);
  size_t bytes = 0;
  for (const std::string_view name : get.keys) {
    const Keys::Entry* entry = entry_of(context, name);
    if (entry != nullptr) bytes += entry->value.size();
  }
  if (fits && bytes > limits::kReplyBytesMax) {
    fits = base::fail(ErrorCode::kTooBig, "limit={} got={} bytes of values: ask for fewer keys",
                      limits::kReplyBytesMax, bytes);
  }
  if (!fits) return answer.reply.error(fits.error());
  answer.reply.array(static_cast<uint32_t>(get.keys.size()));
  for (const std::string_view name : get.keys) write_value(answer.reply, entry_of(context, name));
}

void apply_keys_delete(Context& context, const KeysDelete& del, Answer& answer) {
  if (const Status fits = check_keys(del.keys); !fits) return answer.reply.error(fits.error());
  int64_t count = 0;
  for (const std::string_view name : del.keys) {
    if (entry_of(context, name) != nullptr) ++count;
    remove_key(context, name);
  }
  answer.reply.integer(count);
}

void apply_keys_exist(Context& context, const KeysExist& exist, Answer& answer) {
  if (const Status fits = check_keys(exist.keys); !fits) return answer.reply.error(fits.error());
  answer.reply.integer(std::ranges::count_if(
      exist.keys, [&](std::string_view name) { return entry_of(context, name) != nullptr; }));
}

void apply_key_expire(Context& context, const KeyExpire& expire, Answer& answer) {
  Status fits = check_key(expire.key);
  if (fits && expire.after_ms > 0) {
    fits = check_life(expire.in_seconds ? "expire" : "pexpire", expire.after_ms,
                      limits::kDurationMsMax);
  }
  if (!fits) return answer.reply.error(fits.error());
  const Keys::Entry* entry = entry_of(context, expire.key);
  if (entry == nullptr) return answer.reply.integer(0);
  if (expire.after_ms <= 0) {
    remove_key(context, expire.key);
    return answer.reply.integer(1);
  }
  const base::EngineTime end = context.now.engine + base::Duration{expire.after_ms};
  const Status done = put_expiry(context, {expire.key, {KeyExpiry::Clock::kEngine, end.ms}});
  done ? answer.reply.integer(1) : answer.reply.error(done.error());
}

void apply_key_time_left(Context& context, const KeyTimeLeft& left, Answer& answer) {
  constexpr int64_t kAbsent = -2;
  constexpr int64_t kForever = -1;
  if (const Status fits = check_key(left.key); !fits) return answer.reply.error(fits.error());
  const Keys::Entry* entry = entry_of(context, left.key);
  if (entry == nullptr) return answer.reply.integer(kAbsent);
  if (!entry->expiry.is_set()) return answer.reply.integer(kForever);
  const int64_t ms = entry->expiry.left_ms(context.now);
  answer.reply.integer(left.in_seconds ? (ms + limits::kSecondMs / 2) / limits::kSecondMs : ms);
}

void apply_key_persist(Context& context, const KeyPersist& persist, Answer& answer) {
  if (const Status fits = check_key(persist.key); !fits) return answer.reply.error(fits.error());
  const Keys::Entry* entry = entry_of(context, persist.key);
  if (entry == nullptr || !entry->expiry.is_set()) return answer.reply.integer(0);
  const Status done = put_expiry(context, {.name = persist.key});
  done ? answer.reply.integer(1) : answer.reply.error(done.error());
}

void apply_key_add(Context& context, const KeyAdd& add, Answer& answer) {
  if (const Status fits = check_key(add.key); !fits) return answer.reply.error(fits.error());
  if (add.down && add.by == std::numeric_limits<int64_t>::min()) {
    return answer.reply.error(ErrorCode::kErr, "decrement would overflow");
  }
  const Keys::Entry* entry = entry_of(context, add.key);
  if (entry != nullptr && entry->hash) return answer.reply.error(wrong_type());
  const base::Result<int64_t> sum = sum_of(entry, add);
  if (!sum) return answer.reply.error(sum.error());
  const KeyExpiry expiry = entry == nullptr ? KeyExpiry{} : entry->expiry;
  const std::string text = std::to_string(*sum);
  const Status done = put_key(context, {add.key, text, expiry});
  done ? answer.reply.integer(*sum) : answer.reply.error(done.error());
}

void apply_key_type(Context& context, const KeyType& type, Answer& answer) {
  if (const Status fits = check_key(type.key); !fits) return answer.reply.error(fits.error());
  const Keys::Entry* entry = entry_of(context, type.key);
  if (entry == nullptr) return answer.reply.simple("none");
  answer.reply.simple(entry->hash ? "hash" : "string");
}

void apply_key_scan(Context& context, const KeyScan& scan, Answer& answer) {
  const int64_t count = scan.count.value_or(limits::kScanCountDefault);
  const std::string_view pattern = scan.pattern.value_or("*");
  Status fits = check_range("COUNT", count, {1, std::numeric_limits<int64_t>::max()});
  if (fits && pattern.size() > limits::kKeyNameBytesMax) {
    fits = base::fail(ErrorCode::kBadReq, "field=MATCH must have at most {} bytes, got {}",
                      limits::kKeyNameBytesMax, pattern.size());
  }
  if (!fits) return answer.reply.error(fits.error());
  int64_t left = std::min(count, limits::kScanCountMax);
  size_t steps = 0;
  std::vector<std::string_view> names;
  const auto visit = [&](std::string_view name, const Keys::Entry& entry) {
    const bool is_there = !entry.expiry.is_over(context.now);
    if (is_there && glob_matches(pattern, name, steps)) names.push_back(name);
    return --left > 0 && steps < limits::kScanStepsMax;
  };
  const uint64_t next = context.state.keys().walk(scan.cursor, visit);
  answer.reply.array(2);
  answer.reply.bulk(std::to_string(next));
  answer.reply.array(static_cast<uint32_t>(names.size()));
  for (const std::string_view name : names) answer.reply.bulk(name);
}

void apply_key_count(Context& context, Answer& answer) {
  answer.reply.integer(static_cast<int64_t>(context.state.keys().count(context.now)));
}

bool remove_keys_over(Context& context, size_t most) {
  const Keys& keys = context.state.keys();
  for (size_t done = 0; done < most; ++done) {
    const std::string* name = keys.first_over(context.now);
    if (name == nullptr) return false;
    emit(context, KeyRemoved{*name});
  }
  return keys.first_over(context.now) != nullptr;
}

}  // namespace core
