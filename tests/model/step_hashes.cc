// Hashes: keys that hold fields.
#include <algorithm>
#include <iomanip>
#include <sstream>
#include <stdexcept>

#include "model/step.h"

namespace model {
namespace {

constexpr size_t kFieldBytesMax = 512;
constexpr size_t kFieldsMax = 10'000;

bool valid_field(const std::string& field) {
  return field.size() <= kFieldBytesMax;
}

bool valid_fields(const std::vector<std::string>& fields) {
  return !fields.empty() && fields.size() <= kFieldsMax &&
         std::all_of(fields.begin(), fields.end(), valid_field);
}

bool is_text(const StoredKey* key) {
  return key != nullptr && !key->fields;
}

const std::string* field_of(const StoredKey* key, const std::string& field) {
  if (key == nullptr) return nullptr;
  const auto found = key->fields->find(field);
  return found == key->fields->end() ? nullptr : &found->second;
}

// The hash as it is, or a new one without fields and without an end.
StoredKey copy_of(const StoredKey* key) {
  StoredKey copy = key == nullptr ? StoredKey{} : *key;
  if (!copy.fields) copy.fields.emplace();
  return copy;
}

// Decimals as people write them; others are not generated.
std::optional<long double> float_of(const std::string& text) {
  if (text.empty() || text.find_first_not_of("+-.0123456789e") != std::string::npos) {
    return std::nullopt;
  }
  size_t read = 0;
  long double number = 0;
  try {
    number = std::stold(text, &read);
  } catch (const std::logic_error&) {
    return std::nullopt;
  }
  return read == text.size() ? std::optional(number) : std::nullopt;
}

// At most 17 digits behind the point, without zeros at the end.
std::string float_text(long double number) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(17) << number;
  std::string text = out.str();
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

}  // namespace

Reply Step::hash_set(const HashSet& set) {
  if (!valid_key(set.key) || set.fields.empty() || set.fields.size() > kFieldsMax) {
    return error_reply("BADREQ");
  }
  std::string refusals;  // Any of them may be told.
  for (const auto& [field, value] : set.fields) {
    if (!valid_field(field)) refusals = refusals.empty() ? "BADREQ" : refusals + "|BADREQ";
    if (value.size() > kValueBytesMax) {
      refusals = refusals.empty() ? "TOOBIG" : refusals + "|TOOBIG";
    }
  }
  if (!refusals.empty()) return error_reply(refusals);
  const StoredKey* old = stored(set.key);
  if (is_text(old)) return error_reply("WRONGTYPE");
  StoredKey made = copy_of(old);
  const size_t before = made.fields->size();
  for (const auto& [field, value] : set.fields) (*made.fields)[field] = value;
  const size_t added = made.fields->size() - before;
  if (would_overflow(set.key, made)) return error_reply("QUOTA");
  w_.stored[set.key] = made;
  return integer_reply(static_cast<int64_t>(added));
}

Reply Step::hash_get(const HashGet& get) const {
  if (!valid_key(get.key) || !valid_field(get.field)) return error_reply("BADREQ");
  const StoredKey* key = stored(get.key);
  if (is_text(key)) return error_reply("WRONGTYPE");
  return value_reply(field_of(key, get.field));
}

Reply Step::hash_mget(const HashMGet& mget) const {
  if (!valid_key(mget.key) || !valid_fields(mget.fields)) return error_reply("BADREQ");
  const StoredKey* key = stored(mget.key);
  if (is_text(key)) return error_reply("WRONGTYPE");
  std::vector<Reply> items;
  for (const std::string& field : mget.fields) items.push_back(value_reply(field_of(key, field)));
  return array_reply(std::move(items));
}

Reply Step::hash_get_all(const HashGetAll& all) const {
  if (!valid_key(all.key)) return error_reply("BADREQ");
  const StoredKey* key = stored(all.key);
  if (is_text(key)) return error_reply("WRONGTYPE");
  Reply reply;
  reply.kind = Reply::Kind::kFields;
  if (key != nullptr) reply.fields = *key->fields;
  return reply;
}

Reply Step::hash_del(const HashDel& del) {
  if (!valid_key(del.key) || !valid_fields(del.fields)) return error_reply("BADREQ");
  StoredKey* key = stored(del.key);
  if (is_text(key)) return error_reply("WRONGTYPE");
  int64_t count = 0;
  if (key == nullptr) return integer_reply(count);
  for (const std::string& field : del.fields) {
    count += static_cast<int64_t>(key->fields->erase(field));
  }
  if (key->fields->empty()) drop_key(del.key);
  return integer_reply(count);
}

Reply Step::hash_exists(const HashExists& exists) const {
  if (!valid_key(exists.key) || !valid_field(exists.field)) return error_reply("BADREQ");
  const StoredKey* key = stored(exists.key);
  if (is_text(key)) return error_reply("WRONGTYPE");
  return integer_reply(field_of(key, exists.field) == nullptr ? 0 : 1);
}

Reply Step::hash_len(const HashLen& len) const {
  if (!valid_key(len.key)) return error_reply("BADREQ");
  const StoredKey* key = stored(len.key);
  if (is_text(key)) return error_reply("WRONGTYPE");
  return integer_reply(key == nullptr ? 0 : static_cast<int64_t>(key->fields->size()));
}

Reply Step::hash_incr(const HashIncr& incr) {
  if (!valid_key(incr.key) || !valid_field(incr.field)) return error_reply("BADREQ");
  const StoredKey* old = stored(incr.key);
  if (is_text(old)) return error_reply("WRONGTYPE");
  const std::string* value = field_of(old, incr.field);
  const std::optional<int64_t> before = value == nullptr ? 0 : number_of(*value);
  if (!before) return error_reply("ERR");
  __extension__ const __int128 sum = static_cast<__int128>(*before) + incr.by;
  const auto after = static_cast<int64_t>(sum);
  if (after != sum) return error_reply("ERR");
  return hash_put(incr.key, incr.field, std::to_string(after), integer_reply(after));
}

Reply Step::hash_incr_float(const HashIncrFloat& incr) {
  if (!valid_key(incr.key) || !valid_field(incr.field)) return error_reply("BADREQ");
  const StoredKey* old = stored(incr.key);
  if (is_text(old)) return error_reply("WRONGTYPE");
  const std::string* value = field_of(old, incr.field);
  const std::optional<long double> before = value == nullptr ? 0 : float_of(*value);
  const std::optional<long double> by = float_of(incr.by);
  if (!before || !by) return error_reply("ERR");
  const std::string sum = float_text(*before + *by);
  return hash_put(incr.key, incr.field, sum, value_reply(&sum));
}

// Sets one field and answers `done`.
Reply Step::hash_put(const std::string& name, const std::string& field, const std::string& value,
                     const Reply& done) {
  StoredKey made = copy_of(stored(name));
  (*made.fields)[field] = value;
  if (would_overflow(name, made)) return error_reply("QUOTA");
  w_.stored[name] = made;
  return done;
}

}  // namespace model
