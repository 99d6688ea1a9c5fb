// Values as a server answers them, for tests.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "dray/value.h"

namespace cli {

inline dray::Value text(std::string word) {
  return {.kind = dray::Value::Kind::kText, .text = std::move(word)};
}
inline dray::Value number(int64_t value) {
  return {.kind = dray::Value::Kind::kInteger, .integer = value};
}
inline dray::Value map(std::vector<dray::Value> items) {
  return {.kind = dray::Value::Kind::kMap, .items = std::move(items)};
}
inline dray::Value array(std::vector<dray::Value> items) {
  return {.kind = dray::Value::Kind::kArray, .items = std::move(items)};
}

}  // namespace cli
