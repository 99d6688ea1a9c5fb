// model/compare.h
// One field that was seen against what it must be. Inner part of the model's comparisons.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/step.h"

namespace model {

inline std::string text_of(int64_t value) {
  return std::to_string(value);
}
inline std::string text_of(bool value) {
  return value ? "true" : "false";
}
inline std::string text_of(const std::string& value) {
  constexpr size_t kShown = 60;
  if (value.size() <= kShown) return "'" + value + "'";
  return "'" + value.substr(0, kShown) + "…' (" + std::to_string(value.size()) + " bytes)";
}
inline std::string text_of(State value) {
  return name_of(value);
}
inline std::string text_of(DeadReason value) {
  return name_of(value);
}
inline std::string text_of(const RunAt& value) {
  return (value.is_wall ? "wall " : "engine ") + std::to_string(value.ms);
}
inline std::string text_of(const std::vector<std::string>& values) {
  std::string text = "[";
  for (const std::string& value : values) text += (text.size() > 1 ? " " : "") + value;
  return text + "]";
}
inline std::string text_of(const std::map<std::string, std::string>& values) {
  std::string text = "{";
  for (const auto& [key, value] : values) text += key + "=" + value + " ";
  return text + "}";
}
template <typename T>
inline std::string text_of(const std::optional<T>& value) {
  return value ? text_of(*value) : "nothing";
}

// Says which thing a field belongs to; built into text only when there is something to say.
struct Where {
  const char* what;
  const std::string& name;
};

template <typename T>
void same(const Where& where, const char* field, const T& expected, const T& got) {
  if (expected == got) return;
  throw Mismatch{std::string(where.what) + where.name + ": " + field + " should be " +
                 text_of(expected) + ", got " + text_of(got)};
}

// Compares only if the driver filled it in.
template <typename T>
void same_if_seen(const Where& where, const char* field, const T& expected,
                  const std::optional<T>& got) {
  if (got) same(where, field, expected, *got);
}

}  // namespace model
