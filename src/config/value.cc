#include "config/value.h"

#include <charconv>
#include <vector>

#include "config/address.h"
#include "config/duration.h"
#include "config/size.h"
#include "protocol/text.h"

namespace config {
namespace {

using base::Result;

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<int64_t> read_count(std::string_view text) {
  int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || end != text.data() + text.size()) {
    return base::fail(base::ErrorCode::kBadReq, "'{}' is no whole number", text);
  }
  return number;
}

Result<int64_t> read_duration(const Key& key, std::string_view text) {
  if (key.takes_bare_seconds && is_digits(text)) {
    return TRY(parse_duration(std::string(text) + "s")).count();
  }
  return TRY(parse_duration(text)).count();
}

Result<int64_t> read_flag(std::string_view text) {
  const std::string word = protocol::lower_case(text);
  if (word == "true" || word == "1" || word == "yes" || word == "on") return 1;
  if (word == "false" || word == "0" || word == "no" || word == "off") return 0;
  return base::fail(base::ErrorCode::kBadReq, "'{}' is neither true nor false", text);
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t space = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, space));
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return words;
}

base::Status check_choice(const Key& key, std::string_view text) {
  for (const std::string_view word : words_of(key.choices)) {
    if (word == text) return {};
  }
  return base::fail(base::ErrorCode::kBadReq, "'{}' is none of: {}", text, key.choices);
}

Result<int64_t> read_number(const Key& key, std::string_view text) {
  switch (key.kind) {
    case Kind::kText:
    case Kind::kPath:
      return 0;
    case Kind::kChoice:
      TRY(check_choice(key, text));
      return 0;
    case Kind::kAddress:
      TRY(parse_address(text));
      return 0;
    case Kind::kSize:
      return parse_size(text);
    case Kind::kDuration:
      return read_duration(key, text);
    case Kind::kCount:
      return read_count(text);
    case Kind::kFlag:
      return read_flag(text);
  }
  return 0;
}

std::string number_text(Kind kind, int64_t number) {
  if (kind == Kind::kSize) return size_text(number);
  if (kind == Kind::kDuration) return duration_text(std::chrono::milliseconds(number));
  return std::to_string(number);
}

}  // namespace

bool Value::is_same(const Value& other, Kind kind) const {
  switch (kind) {
    case Kind::kSize:
    case Kind::kDuration:
    case Kind::kCount:
    case Kind::kFlag:
      return text.empty() == other.text.empty() && number == other.number;
    default:
      return text == other.text;
  }
}

Result<Value> read_value(const Key& key, std::string_view text) {
  Value value{.text = std::string(text)};
  if (text.empty()) {
    if (key.otherwise.empty()) return value;
    return base::fail(base::ErrorCode::kBadReq, "is empty; a {} is wanted", kind_name(key));
  }
  value.number = TRY(read_number(key, text));
  const bool is_bounded =
      key.kind == Kind::kSize || key.kind == Kind::kDuration || key.kind == Kind::kCount;
  if (!is_bounded) return value;
  if (value.number < key.least) {
    return base::fail(base::ErrorCode::kBadReq, "'{}' is too small: at least {}", text,
                      number_text(key.kind, key.least));
  }
  if (value.number > key.most) {
    return base::fail(base::ErrorCode::kBadReq, "'{}' is too large: at most {}", text,
                      number_text(key.kind, key.most));
  }
  return value;
}

std::string environment_name(const Key& key) {
  std::string name = "DRAY_";
  for (const char c : key.name) {
    if (c == '.') {
      name += "__";
    } else {
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return name;
}

std::string kind_name(const Key& key) {
  switch (key.kind) {
    case Kind::kText:
      return "TEXT";
    case Kind::kPath:
      return key.name.ends_with("_file") ? "FILE" : "DIR";
    case Kind::kChoice: {
      std::string words(key.choices);
      for (char& c : words) c = c == ' ' ? '|' : c;
      return words;
    }
    case Kind::kAddress:
      return "IP:PORT";
    case Kind::kSize:
      return "SIZE";
    case Kind::kDuration:
      return "DURATION";
    case Kind::kCount:
      return "N";
    case Kind::kFlag:
      return "true|false";
  }
  return "";
}

}  // namespace config
