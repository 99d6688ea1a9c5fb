// Builds one flat JSON object on one line.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace load {

class JsonLine {
 public:
  // Names are literals of ours and are not escaped.
  void add(std::string_view name, std::string_view value);
  void add(std::string_view name, const char* value) { add(name, std::string_view(value)); }
  void add(std::string_view name, double value);
  void add(std::string_view name, uint64_t value);

  // Returns the object without a line feed.
  std::string text() const { return body_ + "}"; }

 private:
  void add_name(std::string_view name);

  std::string body_ = "{";
};

}  // namespace load
