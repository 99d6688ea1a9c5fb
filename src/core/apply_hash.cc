// Commands on hashes: HSET, HGET and their kin. Replies and the texts of ERR are those of Redis. An
// effect speaks of one field, so that a change costs the same however large the hash is.
#include <array>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "core/context.h"

namespace core {

using base::ErrorCode;
using base::Status;

namespace {

using Fields = std::map<std::string_view, std::string_view>;  // With their values.

Status check_field(std::string_view field) {
  if (field.size() <= limits::kHashFieldBytesMax) return {};
  return base::fail(ErrorCode::kBadReq, "field=field must have at most {} bytes, got {}",
                    limits::kHashFieldBytesMax, field.size());
}

Status check_fields(std::string_view key, const std::vector<std::string_view>& fields) {
  TRY(check_key(key));
  TRY(check_range("fields", static_cast<int64_t>(fields.size()),
                  {1, static_cast<int64_t>(limits::kBatchItemsMax)}));
  for (const std::string_view field : fields) TRY(check_field(field));
  return {};
}

// The hash of this name; null if there is no key of this name. WRONGTYPE: it holds a string.
base::Result<const Keys::Hash*> hash_of(const Context& context, std::string_view key) {
  const Keys::Entry* entry = entry_of(context, key);
  if (entry == nullptr) return nullptr;
  if (!entry->hash) return tl::unexpected(wrong_type());
  return entry->hash.get();
}

const std::string* value_of(const Keys::Hash* hash, std::string_view field) {
  if (hash == nullptr) return nullptr;
  const auto found = hash->fields.find(field);
  return found == hash->fields.end() ? nullptr : &found->second;
}

void write_field(Reply& reply, const std::string* value) {
  value == nullptr ? reply.nil() : reply.bulk(*value);
}

// Writes the fields, if there is room. Returns how many are new. On an error nothing has changed.
base::Result<int64_t> put_fields(Context& context, std::string_view key, const Fields& fields) {
  const Keys::Hash* hash = TRY(hash_of(context, key));
  const Keys& keys = context.state.keys();
  int64_t more = 0;
  int64_t fresh = 0;
  if (hash == nullptr) more += static_cast<int64_t>(Keys::bytes_of(key.size(), 0));
  // What is over makes room: it goes before the first field comes.
  const bool is_over = hash == nullptr && keys.holds(key);
  if (is_over) more -= static_cast<int64_t>(keys.bytes_held(key));
  for (const auto& [field, value] : fields) {
    more += static_cast<int64_t>(Keys::field_bytes(field, value));
    const std::string* before = value_of(hash, field);
    if (before == nullptr) ++fresh;
    if (before != nullptr) more -= static_cast<int64_t>(Keys::field_bytes(field, *before));
  }
  const size_t held = hash == nullptr ? 0 : hash->fields.size();
  if (fresh > 0 && held + static_cast<size_t>(fresh) > limits::kHashFieldsMax) {
    return base::fail(ErrorCode::kQuota, "limit={} got={} fields of one hash: use several",
                      limits::kHashFieldsMax, held + static_cast<size_t>(fresh));
  }
  TRY(check_key_growth(context, more));
  if (is_over) emit(context, KeyRemoved{key});
  for (const auto& [field, value] : fields) emit(context, HashFieldPut{key, field, value});
  return fresh;
}

Status check_hash_set(const HashSet& set) {
  TRY(check_key(set.key));
  TRY(check_range("fields", static_cast<int64_t>(set.fields.size()),
                  {1, static_cast<int64_t>(limits::kBatchItemsMax)}));
  for (const auto& [field, value] : set.fields) {
    TRY(check_field(field));
    TRY(check_bytes("value", value.size(), limits::kKeyValueBytesMax));
  }
  return {};
}

Status check_one(std::string_view key, std::string_view field) {
  TRY(check_key(key));
  return check_field(field);
}

// A number as Redis reads it: nothing around it, no NaN.
std::optional<long double> float_of(std::string_view text) {
  constexpr size_t kTextMax = 5'000;  // The longest number has fewer digits.
  if (text.empty() || text.size() > kTextMax || std::isspace(static_cast<uint8_t>(text[0])) != 0) {
    return std::nullopt;
  }
  const std::string copy(text);
  char* end = nullptr;
  errno = 0;
  const long double number = std::strtold(copy.c_str(), &end);
  if (end != copy.c_str() + copy.size() || std::isnan(number)) return std::nullopt;
  if (errno == ERANGE && (std::isinf(number) || number == 0)) return std::nullopt;
  return number;
}

// The shortest text without an exponent, of 17 digits behind the point at most.
std::string float_text(long double number) {
  std::array<char, 5'120> buffer;  // The largest number has 4,933 digits.
  const int size = std::snprintf(buffer.data(), buffer.size(), "%.17Lf", number);
  ASSERT(size > 0 && static_cast<size_t>(size) < buffer.size());
  std::string text(buffer.data(), static_cast<size_t>(size));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

base::Result<std::string> float_sum(const std::string* before, std::string_view by) {
  const std::optional<long double> add = float_of(by);
  if (!add) return base::fail(ErrorCode::kErr, "value is not a valid float");
  if (std::isinf(*add)) return base::fail(ErrorCode::kErr, "value is NaN or Infinity");
  const std::optional<long double> old = before == nullptr ? 0 : float_of(*before);
  if (!old) return base::fail(ErrorCode::kErr, "hash value is not a float");
  const long double sum = *old + *add;
  if (std::isnan(sum) || std::isinf(sum)) {
    return base::fail(ErrorCode::kErr, "increment would produce NaN or Infinity");
  }
  return float_text(sum);
}

base::Result<int64_t> integer_sum(const std::string* before, int64_t by) {
  const std::optional<int64_t> old = before == nullptr ? 0 : integer_of(*before);
  if (!old) return base::fail(ErrorCode::kErr, "hash value is not an integer");
  int64_t sum = 0;
  if (__builtin_add_overflow(*old, by, &sum)) {
    return base::fail(ErrorCode::kErr, "increment or decrement would overflow");
  }
  return sum;
}

Status check_reply(const Keys::Hash& hash) {
  const size_t bytes = hash.bytes - hash.fields.size() * limits::kHashFieldOverheadBytes;
  if (bytes <= limits::kReplyBytesMax) return {};
  return base::fail(ErrorCode::kTooBig, "limit={} got={} bytes of fields: ask for some (HMGET)",
                    limits::kReplyBytesMax, bytes);
}

}  // namespace

void apply_hash_set(Context& context, const HashSet& set, Answer& answer) {
  if (const Status fits = check_hash_set(set); !fits) return answer.reply.error(fits.error());
  const auto hash = hash_of(context, set.key);
  if (!hash) return answer.reply.error(hash.error());
  if (set.only_absent && value_of(*hash, set.fields.at(0).first) != nullptr) {
    return answer.reply.integer(0);
  }
  Fields fields;
  for (const auto& [field, value] : set.fields) fields[field] = value;
  const base::Result<int64_t> fresh = put_fields(context, set.key, fields);
  fresh ? answer.reply.integer(*fresh) : answer.reply.error(fresh.error());
}

void apply_hash_get(Context& context, const HashGet& get, Answer& answer) {
  const Status fits = check_one(get.key, get.field);
  if (!fits) return answer.reply.error(fits.error());
  const auto hash = hash_of(context, get.key);
  if (!hash) return answer.reply.error(hash.error());
  write_field(answer.reply, value_of(*hash, get.field));
}

void apply_hash_get_many(Context& context, const HashGetMany& get, Answer& answer) {
  const Status fits = check_fields(get.key, get.fields);
  if (!fits) return answer.reply.error(fits.error());
  const auto hash = hash_of(context, get.key);
  if (!hash) return answer.reply.error(hash.error());
  size_t bytes = 0;
  for (const std::string_view field : get.fields) {
    if (const std::string* value = value_of(*hash, field)) bytes += value->size();
  }
  if (bytes > limits::kReplyBytesMax) {
    return answer.reply.error(ErrorCode::kTooBig,
                              fmt::format("limit={} got={} bytes of values: ask for fewer fields",
                                          limits::kReplyBytesMax, bytes));
  }
  answer.reply.array(static_cast<uint32_t>(get.fields.size()));
  for (const std::string_view field : get.fields) write_field(answer.reply, value_of(*hash, field));
}

void apply_hash_all(Context& context, const HashAll& all, Answer& answer) {
  if (const Status fits = check_key(all.key); !fits) return answer.reply.error(fits.error());
  const auto found = hash_of(context, all.key);
  if (!found) return answer.reply.error(found.error());
  static const Keys::Hash kNone;
  const Keys::Hash& hash = *found == nullptr ? kNone : **found;
  if (const Status fits = check_reply(hash); !fits) return answer.reply.error(fits.error());
  const auto count = static_cast<uint32_t>(hash.fields.size());
  const bool both = all.what == HashAll::What::kBoth;
  both ? answer.reply.map(count) : answer.reply.array(count);
  for (const auto& [field, value] : hash.fields) {
    if (all.what != HashAll::What::kValues) answer.reply.bulk(field);
    if (all.what != HashAll::What::kFields) answer.reply.bulk(value);
  }
}

void apply_hash_delete(Context& context, const HashDelete& del, Answer& answer) {
  const Status fits = check_fields(del.key, del.fields);
  if (!fits) return answer.reply.error(fits.error());
  const auto found = hash_of(context, del.key);
  if (!found) return answer.reply.error(found.error());
  int64_t count = 0;
  for (const std::string_view field : del.fields) {
    const auto hash = hash_of(context, del.key);  // Gone once its last field is.
    if (!hash || value_of(*hash, field) == nullptr) continue;
    emit(context, HashFieldRemoved{del.key, field});
    ++count;
  }
  answer.reply.integer(count);
}

void apply_hash_has(Context& context, const HashHas& has, Answer& answer) {
  const Status fits = check_one(has.key, has.field);
  if (!fits) return answer.reply.error(fits.error());
  const auto hash = hash_of(context, has.key);
  if (!hash) return answer.reply.error(hash.error());
  answer.reply.integer(value_of(*hash, has.field) != nullptr ? 1 : 0);
}

void apply_hash_size(Context& context, const HashSize& size, Answer& answer) {
  if (const Status fits = check_key(size.key); !fits) return answer.reply.error(fits.error());
  const auto hash = hash_of(context, size.key);
  if (!hash) return answer.reply.error(hash.error());
  answer.reply.integer(*hash == nullptr ? 0 : static_cast<int64_t>((*hash)->fields.size()));
}

void apply_hash_add(Context& context, const HashAdd& add, Answer& answer) {
  const Status fits = check_one(add.key, add.field);
  if (!fits) return answer.reply.error(fits.error());
  const auto hash = hash_of(context, add.key);
  if (!hash) return answer.reply.error(hash.error());
  const base::Result<int64_t> sum = integer_sum(value_of(*hash, add.field), add.by);
  if (!sum) return answer.reply.error(sum.error());
  const std::string text = std::to_string(*sum);
  const auto done = put_fields(context, add.key, {{add.field, text}});
  done ? answer.reply.integer(*sum) : answer.reply.error(done.error());
}

void apply_hash_add_float(Context& context, const HashAddFloat& add, Answer& answer) {
  const Status fits = check_one(add.key, add.field);
  if (!fits) return answer.reply.error(fits.error());
  const auto hash = hash_of(context, add.key);
  if (!hash) return answer.reply.error(hash.error());
  const base::Result<std::string> sum = float_sum(value_of(*hash, add.field), add.by);
  if (!sum) return answer.reply.error(sum.error());
  const auto done = put_fields(context, add.key, {{add.field, *sum}});
  done ? answer.reply.bulk(*sum) : answer.reply.error(done.error());
}

}  // namespace core
