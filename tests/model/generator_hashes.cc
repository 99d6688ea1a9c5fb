// The words of commands on hashes.
#include "model/generator.h"

namespace model {
namespace {

const std::vector<std::string> kFields = {"f", "f", "g", "n", "n", "", std::string("\0\xff", 2)};
using words::kLeast;
using words::kMost;

}  // namespace

// Some names are those of other keys as well, so that types are wrong both ways.
std::string Generator::hash_key() {
  return chance(60) ? pick<std::string>({"h1", "h2"}) : key();
}

std::string Generator::field() {
  if (options_.malformed && allow_malformed_ && chance(3)) return std::string(513, 'f');
  return pick(kFields);
}

std::vector<std::string> Generator::fields() {
  std::vector<std::string> fields;
  const int64_t count = between(1, 4);
  for (int64_t i = 0; i < count; ++i) fields.push_back(field());
  return fields;
}

HashSet Generator::hash_set() {
  HashSet set{hash_key(), {}};
  const int64_t count = between(1, 3);
  for (int64_t i = 0; i < count; ++i) {
    std::string value = std::to_string(between(-3, 12));
    if (chance(30)) value = pick<std::string>({"", "abc", "01", std::to_string(kMost)});
    if (chance(10)) value = std::string(static_cast<size_t>(between(1, 600)), 'v');
    if (chance(5)) value = bytes();
    set.fields.emplace_back(field(), value);
  }
  return set;
}

Verb Generator::hash_verb() {
  switch (weighted({30, 8, 5, 8, 14, 4, 4, 16, 10})) {
    case 0:
      return hash_set();
    case 1:
      return HashGet{hash_key(), field()};
    case 2:
      return HashMGet{hash_key(), fields()};
    case 3:
      return HashGetAll{hash_key()};
    case 4:
      return HashDel{hash_key(), fields()};
    case 5:
      return HashExists{hash_key(), field()};
    case 6:
      return HashLen{hash_key()};
    case 8:
      return HashIncrFloat{hash_key(), field(),
                           pick<std::string>({"0", "1.5", "-0.25", "0.1", "3e2", "-1", "x", ""})};
    default:
      return HashIncr{hash_key(), field(), pick<int64_t>({0, 1, -1, 7, kMost, kLeast})};
  }
}

}  // namespace model
