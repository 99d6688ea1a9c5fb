// The commands on hashes, as in command.h.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace core {

struct HashSet {
  std::string_view key;
  std::vector<std::pair<std::string_view, std::string_view>> fields;  // With their values.
  bool only_absent = false;                                           // HSETNX.
};
struct HashGet {
  std::string_view key;
  std::string_view field;
};
struct HashGetMany {
  std::string_view key;
  std::vector<std::string_view> fields;
};
struct HashAll {
  enum class What : uint8_t { kBoth, kFields, kValues };
  std::string_view key;
  What what = What::kBoth;
};
struct HashDelete {
  std::string_view key;
  std::vector<std::string_view> fields;
};
struct HashHas {
  std::string_view key;
  std::string_view field;
};
struct HashSize {
  std::string_view key;
};
struct HashAdd {
  std::string_view key;
  std::string_view field;
  int64_t by = 0;
};
struct HashAddFloat {
  std::string_view key;
  std::string_view field;
  std::string_view by;  // As it was sent: it has more digits than a double.
};

}  // namespace core
