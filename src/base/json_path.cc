#include "base/json_path.h"

#include <simdjson.h>

#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace base {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

std::optional<size_t> place_of(std::string_view key) {
  size_t place = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), place);
  if (error != std::errc() || end != key.data() + key.size()) return std::nullopt;
  return place;
}

bool accepts_value(element value, const std::function<bool(std::string_view)>& accepts) {
  if (value.type() == element_type::STRING) return accepts(value.get_string().value_unsafe());
  if (value.type() == element_type::OBJECT || value.type() == element_type::ARRAY) return false;
  return accepts(simdjson::minify(value));
}

// A value, and what of the path is still to go from there.
using Step = std::pair<element, std::string_view>;

void enter_object(object members, std::string_view path, std::vector<Step>& left) {
  // A key may have a dot in it: each way to cut the path is tried.
  for (size_t end = path.find('.');; end = path.find('.', end + 1)) {
    element value;
    if (members.at_key(path.substr(0, end)).get(value) == simdjson::SUCCESS) {
      const bool whole = end == std::string_view::npos;
      left.emplace_back(value, whole ? std::string_view() : path.substr(end + 1));
    }
    if (end == std::string_view::npos) return;
  }
}

void enter_array(array elements, std::string_view path, std::vector<Step>& left) {
  const size_t end = path.find('.');
  const std::optional<size_t> place = place_of(path.substr(0, end));
  if (!path.empty() && place) {
    element value;
    if (elements.at(*place).get(value) != simdjson::SUCCESS) return;
    const bool whole = end == std::string_view::npos;
    left.emplace_back(value, whole ? std::string_view() : path.substr(end + 1));
    return;
  }
  for (const element value : elements) left.emplace_back(value, path);
}

}  // namespace

bool json_has(std::string_view json, std::string_view path,
              const std::function<bool(std::string_view)>& accepts) {
  thread_local simdjson::dom::parser parser;
  element root;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) return false;
  std::vector<Step> left{{root, path}};
  while (!left.empty()) {
    const auto [value, rest] = left.back();
    left.pop_back();
    if (value.type() == element_type::ARRAY) {
      enter_array(value.get_array().value_unsafe(), rest, left);
    } else if (rest.empty()) {
      if (accepts_value(value, accepts)) return true;
    } else if (value.type() == element_type::OBJECT) {
      enter_object(value.get_object().value_unsafe(), rest, left);
    }
  }
  return false;
}

}  // namespace base
