// The words of commands on keys.
#include "model/generator.h"
#include "model/step.h"

namespace model {
namespace {

const std::string kNastyKey("\0[*]\xff\r\n", 7);
const std::vector<std::string> kKeys = {"a",   "b",   "c",   "d",     "aa",
                                        "ab1", "ab2", "ab9", "x:y:z", kNastyKey};
using words::kLeast;
using words::kMost;

}  // namespace

// Beside the weights of all others, which come to about 130.
int64_t Generator::keys_weight() const {
  if (!options_.keys) return 0;
  return flavour_ == 4 ? 150 : 8;
}

std::string Generator::key() {
  if (options_.malformed && allow_malformed_ && chance(1)) {
    return chance(50) ? std::string() : std::string(513, 'k');
  }
  return chance(60) ? kKeys[static_cast<size_t>(between(0, 3))] : pick(kKeys);
}

std::vector<std::string> Generator::keys() {
  std::vector<std::string> keys;
  const int64_t count = between(1, 4);
  for (int64_t i = 0; i < count; ++i) keys.push_back(key());
  return keys;
}

KeySet Generator::key_set(const World& world) {
  KeySet set;
  set.key = key();
  switch (weighted({50, 30, 14, 6})) {
    case 0:
      set.value = std::to_string(between(-3, 12));
      break;
    case 1:
      set.value = pick<std::string>({"", "abc", " 1", "1 ", "+1", "01", "-0", "9.5", "--1",
                                     std::to_string(kMost), std::to_string(kLeast),
                                     std::to_string(kMost - 1), "9223372036854775808"});
      break;
    case 2:
      set.value = std::string(static_cast<size_t>(between(1, 600)), 'v');
      break;
    default:
      set.value = bytes();
      break;
  }
  switch (weighted({40, 10, 16, 6, 14, 8})) {
    case 0:
      break;
    case 1:
      set.ex_s = pick<int64_t>({1, 2, 60, 315'576'000});
      break;
    case 2:
      set.px_ms = pick<int64_t>({1, 2, 500, 1'500, 30'000});
      break;
    case 3:
      set.exat_s = world.now.wall_ms / 1'000 + pick<int64_t>({-1, 0, 1, 5, 60});
      break;
    case 4:
      set.pxat_ms = world.now.wall_ms + pick<int64_t>({-1, 0, 1, 2, 700, 30'000, 4'000'000});
      break;
    default:
      set.keep_ttl = true;
      break;
  }
  if (options_.malformed && allow_malformed_ && chance(2)) {
    set.ex_s.reset();
    set.px_ms = pick<int64_t>({0, -1, kLeast, kMost, 315'576'000'001});
    if (chance(50)) std::swap(set.px_ms, set.ex_s);
    set.exat_s.reset();
    set.pxat_ms.reset();
    set.keep_ttl = false;
  }
  set.nx = chance(18);
  set.xx = !set.nx && chance(15);
  set.get = chance(20);
  return set;
}

KeyIncr Generator::key_incr() {
  KeyIncr incr{key(), std::nullopt, chance(40)};
  if (chance(60)) incr.by = pick<int64_t>({0, 1, -1, 7, 1'000'000, kMost, kLeast, kMost - 5});
  return incr;
}

KeyScan Generator::key_scan(const World& world) {
  static const std::vector<std::string> kPatterns = {
      "*",      "a*",      "?",    "ab[12]",   "ab[^1]", "ab[3-1]", "*b*",
      "x:*:z*", "\\a\\b*", "[a-c", "*\\[\\**", "a**?",   "nothing", "**\\"};
  KeyScan scan;
  scan.cursor = "0";
  if (!world.scans.empty() && chance(85)) {
    const Scan& going = pick(world.scans);
    scan.cursor = going.cursor;
    if (going.match != "*" || chance(50)) scan.match = going.match;
  } else if (chance(60)) {
    scan.match = pick(kPatterns);
  }
  if (chance(70)) scan.count = pick<int64_t>({1, 1, 2, 3, 100'000});
  if (options_.malformed && chance(12)) {
    switch (between(0, 3)) {
      case 0:
        scan.cursor = pick<std::string>({"", "x", "-1", "18446744073709551616"});
        break;
      case 1:
        scan.count = pick<int64_t>({0, -1});
        break;
      case 2:
        scan.match = std::string(513, '*');
        break;
      default:
        scan.cursor = std::to_string(draw());
        break;
    }
  }
  return scan;
}

Verb Generator::key_verb(const World& world) {
  const int64_t alone = allow_malformed_ ? 1 : 0;  // What is no member of an EXEC.
  const int64_t hashes = options_.hashes ? 60 : 0;
  switch (weighted({40, 10, 4, 10, 4, 14, 8, 5, 24, 12 * alone, 2 * alone, hashes})) {
    case 0:
      return key_set(world);
    case 1:
      return KeyGet{key()};
    case 2:
      return KeyMGet{keys()};
    case 3:
      return KeyDel{keys()};
    case 4:
      return KeyExists{keys()};
    case 5: {
      KeyExpire expire{key(), 0, chance(40)};
      expire.time = expire.in_seconds ? pick<int64_t>({1, 2, 30}) : pick<int64_t>({1, 700, 5'000});
      if (chance(6)) expire.time = pick<int64_t>({0, -1, kLeast});
      if (options_.malformed && allow_malformed_ && chance(10)) expire.time = kMost;
      return expire;
    }
    case 6:
      return KeyTtl{key(), chance(50)};
    case 7:
      return KeyPersist{key()};
    case 8:
      return key_incr();
    case 9:
      return key_scan(world);
    case 10:
      return KeyDbSize{};
    default:
      return hash_verb();
  }
}

}  // namespace model
