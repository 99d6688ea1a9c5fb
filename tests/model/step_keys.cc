// Keys: SET and its kin, and SCAN.
#include <algorithm>
#include <limits>

#include "model/step.h"

namespace model {
namespace {

constexpr size_t kPatternBytesMax = 512;
constexpr size_t kNamesMax = 10'000;
constexpr int64_t kRecordBytes = 192;
constexpr int64_t kFieldBytes = 128;
constexpr int64_t kWallMsMax = 253'402'300'799'999;
constexpr int64_t kSecondMs = 1'000;
constexpr size_t kScansMax = 4;

bool valid_keys(const std::vector<std::string>& names) {
  return !names.empty() && names.size() <= kNamesMax &&
         std::all_of(names.begin(), names.end(), valid_key);
}

bool is_hash(const StoredKey* key) {
  return key != nullptr && key->fields.has_value();
}

// Nil for what is not there, and for a hash.
Reply value_of(const StoredKey* key) {
  return value_reply(key == nullptr || is_hash(key) ? nullptr : &key->value);
}

int64_t bytes_of(const std::string& name, const StoredKey& key) {
  size_t bytes = name.size() + key.value.size();
  if (!key.fields) return static_cast<int64_t>(bytes) + kRecordBytes;
  for (const auto& [field, value] : *key.fields) bytes += field.size() + value.size();
  const auto count = static_cast<int64_t>(key.fields->size());
  return static_cast<int64_t>(bytes) + kRecordBytes + count * kFieldBytes;
}

bool is_cursor(const std::string& text) {
  constexpr size_t kDigitsMax = 20;
  if (text.empty() || text.size() > kDigitsMax) return false;
  if (text.find_first_not_of("0123456789") != std::string::npos) return false;
  return text.size() < kDigitsMax || text <= "18446744073709551615";
}

// What SET's times come to; `wrong` if they are outside their limits.
struct End {
  bool wrong = false;
  bool is_wall = false;
  std::optional<int64_t> ms;
};

End end_of(const KeySet& set, Now now) {
  End end;
  const auto in_ms = [](const std::optional<int64_t>& seconds, const std::optional<int64_t>& ms,
                        int64_t most) -> std::optional<int64_t> {
    if (ms) return within(*ms, 1, most) ? *ms : 0;
    if (seconds) return within(*seconds, 1, most / kSecondMs) ? *seconds * kSecondMs : 0;
    return std::nullopt;
  };
  if (const auto duration = in_ms(set.ex_s, set.px_ms, kDurationMsMax)) {
    end.wrong = *duration == 0;
    end.ms = now.engine_ms + *duration;
  } else if (const auto moment = in_ms(set.exat_s, set.pxat_ms, kWallMsMax)) {
    end.wrong = *moment == 0;
    end.is_wall = true;
    end.ms = *moment;
  }
  return end;
}

// One element of a pattern at its front; nothing if it does not fit `byte`. Not for '*'.
std::optional<size_t> element_fits(const std::string& pattern, size_t at, char byte) {
  if (pattern[at] == '?') return at + 1;
  if (pattern[at] == '\\' && at + 1 < pattern.size()) {
    return pattern[at + 1] == byte ? std::optional(at + 2) : std::nullopt;
  }
  if (pattern[at] != '[') return pattern[at] == byte ? std::optional(at + 1) : std::nullopt;
  size_t i = at + 1;
  const bool negated = i < pattern.size() && pattern[i] == '^';
  if (negated) ++i;
  bool found = false;
  const auto code = [](char c) { return static_cast<unsigned char>(c); };
  while (i < pattern.size() && pattern[i] != ']') {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      found = found || pattern[i + 1] == byte;
      i += 2;
    } else if (i + 2 < pattern.size() && pattern[i + 1] == '-') {
      const auto [low, high] = std::minmax({code(pattern[i]), code(pattern[i + 2])});
      found = found || (low <= code(byte) && code(byte) <= high);
      i += 3;
    } else {
      found = found || pattern[i] == byte;
      ++i;
    }
  }
  if (found == negated) return std::nullopt;
  return std::min(i + 1, pattern.size());
}

}  // namespace

bool valid_key(const std::string& name) {
  constexpr size_t kNameBytesMax = 512;
  return !name.empty() && name.size() <= kNameBytesMax;
}

std::optional<int64_t> number_of(const std::string& text) {
  constexpr size_t kDigitsMax = 20;
  if (text.empty() || text.size() > kDigitsMax) return std::nullopt;
  __extension__ __int128 number = 0;
  const bool negative = text[0] == '-';
  for (size_t i = negative ? 1 : 0; i < text.size(); ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  if (negative) number = -number;
  if (number < std::numeric_limits<int64_t>::min()) return std::nullopt;
  if (number > std::numeric_limits<int64_t>::max()) return std::nullopt;
  const auto value = static_cast<int64_t>(number);
  if (std::to_string(value) != text) return std::nullopt;
  return value;
}

bool pattern_fits(const std::string& pattern, const std::string& name) {
  // By places: those of the pattern that fit all of the name read so far.
  std::set<size_t> places = {0};
  const auto with_stars = [&] {
    for (auto place = places.begin(); place != places.end(); ++place) {
      if (*place < pattern.size() && pattern[*place] == '*') places.insert(*place + 1);
    }
  };
  with_stars();
  for (const char byte : name) {
    std::set<size_t> next;
    for (const size_t place : places) {
      if (place == pattern.size()) continue;
      if (pattern[place] == '*') {
        next.insert(place);
      } else if (const auto behind = element_fits(pattern, place, byte)) {
        next.insert(*behind);
      }
    }
    places = next;
    with_stars();
  }
  return places.count(pattern.size()) == 1;
}

bool is_over(const World& world, const StoredKey& key) {
  return key.end_ms && *key.end_ms <= (key.end_is_wall ? world.now.wall_ms : world.now.engine_ms);
}

KeyView key_view(const std::string& name, const StoredKey& key) {
  return KeyView{name, key.value, key.fields, key.end_is_wall, key.end_ms};
}

const StoredKey* Step::stored(const std::string& name) const {
  const auto found = w_.stored.find(name);
  return found == w_.stored.end() || is_over(w_, found->second) ? nullptr : &found->second;
}

StoredKey* Step::stored(const std::string& name) {
  const auto found = w_.stored.find(name);
  return found == w_.stored.end() || is_over(w_, found->second) ? nullptr : &found->second;
}

bool Step::would_overflow(const std::string& name, const StoredKey& made) const {
  int64_t sum = 0;
  int64_t before = 0;
  for (const auto& [key, held] : w_.stored) {  // Those that are over as well.
    (key == name ? before : sum) += bytes_of(key, held);
  }
  const int64_t after = bytes_of(name, made);
  return after > before && sum + after > w_.keys_bytes_max;
}

void Step::drop_key(const std::string& name) {
  w_.stored.erase(name);
  for (Scan& scan : w_.scans) scan.owed.erase(name);
}

// Due work.
void Step::drop_keys_over() {
  std::vector<std::string> over;
  for (const auto& [name, key] : w_.stored) {
    if (is_over(w_, key)) over.push_back(name);
  }
  for (const std::string& name : over) drop_key(name);
}

// What is not there now was not there during the whole scan.
void Step::forgive_scans() {
  for (Scan& scan : w_.scans) {
    std::set<std::string> owed;
    for (const std::string& name : scan.owed) {
      if (stored(name) != nullptr) owed.insert(name);
    }
    scan.owed = owed;
  }
}

Reply Step::key_set(const KeySet& set) {
  if (!valid_key(set.key)) return error_reply("BADREQ");
  if (set.value.size() > kValueBytesMax) return error_reply("TOOBIG");
  const End end = end_of(set, w_.now);
  if (end.wrong) return error_reply("ERR");
  const StoredKey* old = stored(set.key);
  if (set.get && is_hash(old)) return error_reply("WRONGTYPE");
  const Reply old_value = value_of(old);
  if ((set.nx && old != nullptr) || (set.xx && old == nullptr)) {
    return set.get ? old_value : nil_reply();
  }
  StoredKey made{set.value, std::nullopt, end.is_wall, end.ms};
  if (set.keep_ttl && old != nullptr) {
    made.end_is_wall = old->end_is_wall;
    made.end_ms = old->end_ms;
  }
  if (is_over(w_, made)) {
    drop_key(set.key);
  } else {
    if (would_overflow(set.key, made)) return error_reply("QUOTA");
    w_.stored[set.key] = made;
  }
  return set.get ? old_value : ok_reply();
}

Reply Step::key_get(const KeyGet& get) const {
  if (!valid_key(get.key)) return error_reply("BADREQ");
  const StoredKey* key = stored(get.key);
  return is_hash(key) ? error_reply("WRONGTYPE") : value_of(key);
}

Reply Step::key_mget(const KeyMGet& mget) const {
  if (!valid_keys(mget.keys)) return error_reply("BADREQ");
  std::vector<Reply> items;
  for (const std::string& name : mget.keys) items.push_back(value_of(stored(name)));
  return array_reply(std::move(items));
}

Reply Step::key_del(const KeyDel& del) {
  if (!valid_keys(del.keys)) return error_reply("BADREQ");
  int64_t count = 0;
  for (const std::string& name : del.keys) {
    if (stored(name) != nullptr) ++count;
    drop_key(name);  // One that is over as well: it can't come back.
  }
  return integer_reply(count);
}

Reply Step::key_exists(const KeyExists& exists) const {
  if (!valid_keys(exists.keys)) return error_reply("BADREQ");
  int64_t count = 0;
  for (const std::string& name : exists.keys) count += stored(name) == nullptr ? 0 : 1;
  return integer_reply(count);
}

Reply Step::key_expire(const KeyExpire& expire) {
  if (!valid_key(expire.key)) return error_reply("BADREQ");
  const int64_t unit_ms = expire.in_seconds ? kSecondMs : 1;
  if (expire.time > kDurationMsMax / unit_ms) return error_reply("ERR");
  StoredKey* key = stored(expire.key);
  if (key == nullptr) return integer_reply(0);
  if (expire.time <= 0) {
    drop_key(expire.key);
  } else {
    key->end_is_wall = false;
    key->end_ms = w_.now.engine_ms + expire.time * unit_ms;
  }
  return integer_reply(1);
}

Reply Step::key_ttl(const KeyTtl& ttl) const {
  if (!valid_key(ttl.key)) return error_reply("BADREQ");
  const StoredKey* key = stored(ttl.key);
  if (key == nullptr) return integer_reply(-2);
  if (!key->end_ms) return integer_reply(-1);
  const int64_t left_ms = *key->end_ms - (key->end_is_wall ? w_.now.wall_ms : w_.now.engine_ms);
  return integer_reply(ttl.in_seconds ? (left_ms + kSecondMs / 2) / kSecondMs : left_ms);
}

Reply Step::key_persist(const KeyPersist& persist) {
  if (!valid_key(persist.key)) return error_reply("BADREQ");
  StoredKey* key = stored(persist.key);
  if (key == nullptr || !key->end_ms) return integer_reply(0);
  key->end_ms.reset();
  key->end_is_wall = false;
  return integer_reply(1);
}

Reply Step::key_incr(const KeyIncr& incr) {
  if (!valid_key(incr.key)) return error_reply("BADREQ");
  const int64_t by = incr.by.value_or(1);
  if (incr.down && by == std::numeric_limits<int64_t>::min()) return error_reply("ERR");
  const StoredKey* old = stored(incr.key);
  if (is_hash(old)) return error_reply("WRONGTYPE");
  const std::optional<int64_t> before = old == nullptr ? 0 : number_of(old->value);
  if (!before) return error_reply("ERR");
  __extension__ const __int128 sum = static_cast<__int128>(*before) + (incr.down ? -by : by);
  const auto after = static_cast<int64_t>(sum);
  if (after != sum) return error_reply("ERR");
  StoredKey made = old == nullptr ? StoredKey{} : *old;
  made.value = std::to_string(after);
  if (would_overflow(incr.key, made)) return error_reply("QUOTA");
  w_.stored[incr.key] = made;
  return integer_reply(after);
}

Reply Step::key_scan(const KeyScan& scan, const Reply* seen) {
  if (!is_cursor(scan.cursor)) return error_reply("ERR");
  const std::string match = scan.match.value_or("*");
  if (match.size() > kPatternBytesMax || scan.count.value_or(1) < 1) return error_reply("BADREQ");
  std::set<std::string> there;
  for (const auto& [name, key] : w_.stored) {
    if (!is_over(w_, key) && pattern_fits(match, name)) there.insert(name);
  }
  Reply reply;
  reply.kind = Reply::Kind::kScanned;
  reply.text = "0";
  if (seen == nullptr) {  // A dry run names all on one page.
    reply.names.assign(there.begin(), there.end());
    return reply;
  }
  if (seen->kind != Reply::Kind::kScanned) return reply;
  for (const std::string& name : seen->names) {
    if (there.count(name) == 0) throw Mismatch{"SCAN named '" + name + "', which is not there"};
  }
  if (!is_cursor(seen->text)) throw Mismatch{"SCAN's cursor is '" + seen->text + "'"};
  Scan going{scan.cursor, match, there};
  if (scan.cursor != "0") {
    const auto known = std::find_if(w_.scans.begin(), w_.scans.end(), [&](const Scan& other) {
      return other.cursor == scan.cursor && other.match == match;
    });
    if (known == w_.scans.end()) return reply;  // A cursor that nobody gave: it owes nothing.
    going = *known;
    w_.scans.erase(known);
  }
  for (const std::string& name : seen->names) going.owed.erase(name);
  going.cursor = seen->text;
  if (going.cursor != "0") {
    w_.scans.push_back(going);
    if (w_.scans.size() > kScansMax) w_.scans.erase(w_.scans.begin());
  } else if (!going.owed.empty()) {
    throw Mismatch{"SCAN has ended and never named '" + *going.owed.begin() + "'"};
  }
  return reply;
}

Reply Step::key_db_size() const {
  int64_t count = 0;
  for (const auto& [name, key] : w_.stored) count += is_over(w_, key) ? 0 : 1;
  return integer_reply(count);
}

}  // namespace model
