#include "protocol/resp_reply_parser.h"

#include <algorithm>
#include <charconv>

#include "protocol/text.h"

namespace protocol {
namespace {

constexpr size_t kFormatBytes = 4;  // "txt:".

template <typename Number>
bool parse_whole(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, number);
  return fault == std::errc{} && stop == end;
}

RespValue value_of(ValueKind kind) {
  RespValue value;
  value.kind = kind;
  return value;
}

}  // namespace

std::string_view RespValue::error_code() const {
  return std::string_view(text).substr(0, text.find(' '));
}

std::string_view RespValue::error_message() const {
  const size_t space = text.find(' ');
  return space == std::string::npos ? std::string_view{} : std::string_view(text).substr(space + 1);
}

const RespValue* RespValue::find(std::string_view field) const {
  if (kind != ValueKind::kMap && kind != ValueKind::kArray) return nullptr;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].text == field) return &items[i + 1];
  }
  return nullptr;
}

ReplyStatus RespReplyParser::parse(std::string_view unread) {
  position_ = 0;
  if (!error_text_.empty()) return ReplyStatus::kError;
  while (true) {
    const Step done = step(unread);
    if (bytes_ + position_ > limits_.reply_bytes_max) fail("reply too big");
    if (!error_text_.empty()) return ReplyStatus::kError;
    if (done == Step::kNext) continue;
    bytes_ += position_;
    if (done == Step::kNeedMore) return ReplyStatus::kNeedMore;
    bytes_ = 0;
    items_ = 0;
    return ReplyStatus::kValue;
  }
}

RespReplyParser::Step RespReplyParser::step(std::string_view unread) {
  if (in_body_) return read_body(unread);
  const std::string_view rest = unread.substr(position_);
  const size_t feed = rest.find('\n', scanned_);
  if (feed == std::string_view::npos) {
    scanned_ = rest.size();
    return scanned_ > limits_.line_bytes_max ? fail("line too long") : Step::kNeedMore;
  }
  scanned_ = 0;
  if (feed > limits_.line_bytes_max) return fail("line too long");
  if (feed < 2 || rest[feed - 1] != '\r') return fail("line without a type, or without CR");
  if (++items_ > limits_.items_max) return fail("too many values in one reply");
  position_ += feed + 1;
  return take_line(rest[0], rest.substr(1, feed - 2));
}

RespReplyParser::Step RespReplyParser::take_line(char type, std::string_view line) {
  switch (type) {
    case '+':
      return take_text(ValueKind::kSimple, line);
    case '-':
      return take_text(ValueKind::kError, line);
    case ':':
      return take_integer(line);
    case '$':
      return open_body(ValueKind::kBulk, line);
    case '!':
      return open_body(ValueKind::kError, line);
    case '=':
      return open_body(ValueKind::kVerbatim, line);
    case '*':
    case '~':
    case '%':
    case '>':
    case '|':
      return open_items(type, line);
    case '_':
      return line.empty() ? finish(value_of(ValueKind::kNil)) : fail("malformed nil");
    case '#':
      if (line != "t" && line != "f") return fail("malformed boolean");
      body_ = value_of(ValueKind::kBoolean);
      body_.integer = line == "t" ? 1 : 0;
      return finish_body();
    case ',':
      return take_double(line);
    case '(':
      return take_big_number(line);
    default:
      return fail("unknown type '" + printable(std::string_view(&type, 1)) + "'");
  }
}

RespReplyParser::Step RespReplyParser::take_text(ValueKind kind, std::string_view line) {
  body_ = value_of(kind);
  body_.text = line;
  return finish_body();
}

RespReplyParser::Step RespReplyParser::take_integer(std::string_view line) {
  body_ = value_of(ValueKind::kInteger);
  if (line.starts_with('+')) line.remove_prefix(1);
  if (!parse_whole(line, body_.integer)) return fail("malformed integer");
  return finish_body();
}

RespReplyParser::Step RespReplyParser::take_double(std::string_view line) {
  body_ = value_of(ValueKind::kDouble);
  body_.text = line;
  if (line.starts_with('+')) line.remove_prefix(1);
  if (!parse_whole(line, body_.number)) return fail("malformed double");
  return finish_body();
}

RespReplyParser::Step RespReplyParser::take_big_number(std::string_view line) {
  std::string_view digits = line;
  if (digits.starts_with('-') || digits.starts_with('+')) digits.remove_prefix(1);
  const bool is_number = !digits.empty() && std::all_of(digits.begin(), digits.end(), [](char c) {
    return c >= '0' && c <= '9';
  });
  return is_number ? take_text(ValueKind::kBigNumber, line) : fail("malformed big number");
}

RespReplyParser::Step RespReplyParser::open_body(ValueKind kind, std::string_view line) {
  if (kind == ValueKind::kBulk && line == "-1") return finish(value_of(ValueKind::kNil));
  uint64_t size = 0;
  if (!parse_whole(line, size)) return fail("malformed length");
  if (size > limits_.reply_bytes_max) return fail("reply too big");
  if (kind == ValueKind::kVerbatim && size < kFormatBytes) return fail("malformed verbatim text");
  body_ = value_of(kind);
  body_left_ = static_cast<size_t>(size) + 2;
  in_body_ = true;
  return Step::kNext;
}

// Takes what is there of a body; its last two bytes are CR and LF.
RespReplyParser::Step RespReplyParser::read_body(std::string_view unread) {
  const std::string_view part = unread.substr(position_, body_left_);
  position_ += part.size();
  body_left_ -= part.size();
  body_.text.append(part);
  if (body_left_ != 0) return Step::kNeedMore;
  in_body_ = false;
  if (!body_.text.ends_with("\r\n")) return fail("no CRLF behind a bulk string");
  body_.text.resize(body_.text.size() - 2);
  if (body_.kind == ValueKind::kVerbatim) {
    if (body_.text[kFormatBytes - 1] != ':') return fail("malformed verbatim text");
    std::copy_n(body_.text.begin(), body_.format.size(), body_.format.begin());
    body_.text.erase(0, kFormatBytes);
  }
  return finish_body();
}

RespReplyParser::Step RespReplyParser::open_items(char type, std::string_view line) {
  if (type == '*' && line == "-1") return finish(value_of(ValueKind::kNil));
  uint64_t count = 0;
  if (!parse_whole(line, count)) return fail("malformed count");
  if (count > limits_.items_max) return fail("too many values in one reply");
  if (open_.size() == limits_.depth_max) return fail("reply nested too deep");
  if (type == '>' && !open_.empty()) return fail("a push inside a reply");
  Open& open = open_.emplace_back();
  open.items_left = type == '%' || type == '|' ? count * 2 : count;
  open.is_attribute = type == '|';
  open.value.kind = type == '*'   ? ValueKind::kArray
                    : type == '~' ? ValueKind::kSet
                    : type == '>' ? ValueKind::kPush
                                  : ValueKind::kMap;
  if (count != 0) return Step::kNext;
  RespValue empty = std::move(open.value);
  const bool dropped = open.is_attribute;
  open_.pop_back();
  return dropped ? Step::kNext : finish(std::move(empty));
}

RespReplyParser::Step RespReplyParser::finish_body() {
  return finish(std::move(body_));
}

// Puts a whole value where it belongs, and so on upwards while it completes the one around it.
RespReplyParser::Step RespReplyParser::finish(RespValue value) {
  while (!open_.empty()) {
    Open& around = open_.back();
    if (!around.is_attribute) around.value.items.push_back(std::move(value));
    if (--around.items_left != 0) return Step::kNext;
    value = std::move(around.value);
    const bool dropped = around.is_attribute;
    open_.pop_back();
    if (dropped) return Step::kNext;  // The value that it describes comes now.
  }
  value_ = std::move(value);
  return Step::kValue;
}

RespReplyParser::Step RespReplyParser::fail(std::string text) {
  if (error_text_.empty()) error_text_ = "malformed reply: " + std::move(text);
  return Step::kError;
}

}  // namespace protocol
