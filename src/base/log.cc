#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <memory>
#include <utility>

#include "base/assert.h"

namespace base {
namespace {

using spdlog::level::level_enum;

struct LevelName {
  LogLevel level;
  std::string_view name;
  level_enum spdlog_level;
};

constexpr std::array<LevelName, 4> kLevels = {{
    {LogLevel::kDebug, "debug", level_enum::debug},
    {LogLevel::kInfo, "info", level_enum::info},
    {LogLevel::kWarning, "warning", level_enum::warn},
    {LogLevel::kError, "error", level_enum::err},
}};

level_enum spdlog_level(LogLevel level) {
  const auto index = static_cast<size_t>(level);
  ASSERT(index < kLevels.size(), "level {}", index);
  return kLevels[index].spdlog_level;
}

bool within(char c, unsigned low, unsigned high) {
  const auto byte = static_cast<uint8_t>(c);
  return byte >= low && byte <= high;
}

// Returns the length of the UTF-8 character at the front of `text`, 0 if there is no valid one.
// The ranges are those of the Unicode standard, table 3-7: no overlong forms, no surrogates.
size_t utf8_length(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const size_t length = lead < 0xe0 ? 2 : (lead < 0xf0 ? 3 : 4);
  if (text.size() < length) return 0;
  const unsigned low = lead == 0xe0 ? 0xa0 : (lead == 0xf0 ? 0x90 : 0x80);
  const unsigned high = lead == 0xed ? 0x9f : (lead == 0xf4 ? 0x8f : 0xbf);
  if (!within(text[1], low, high)) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (!within(text[i], 0x80, 0xbf)) return 0;
  }
  return length;
}

void append_escaped_ascii(std::string& out, char c) {
  const auto byte = static_cast<uint8_t>(c);
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (c == '\n') {
    out += "\\n";
  } else if (byte < 0x20 || byte == 0x7f) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
  } else {
    out += c;
  }
}

void append_log_text(std::string& out, std::string_view text) {
  const bool cut = text.size() > kLogValueBytesMax;
  if (cut) text = text.substr(0, kLogValueBytesMax);
  out += '"';
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length == 0) {
      out += "\\ufffd";
    } else if (length == 1) {
      append_escaped_ascii(out, text[0]);
    } else if (text[0] == '\xc2' && within(text[1], 0x80, 0x9f)) {
      // The second set of control characters: a terminal may obey these as it does ESC.
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<uint8_t>(text[1]));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  if (cut) out += "... (cut)";
  out += '"';
}

bool is_plain(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/@+-";
  return !text.empty() && text.size() <= kLogValueBytesMax &&
         text.find_first_not_of(kPlain) == std::string_view::npos;
}

void append_value(std::string& out, LogFormat format, const LogField::Value& value) {
  if (const auto* const text = std::get_if<std::string_view>(&value)) {
    const bool bare = format == LogFormat::kLogfmt && is_plain(*text);
    bare ? void(out += *text) : append_log_text(out, *text);
  } else if (const auto* const number = std::get_if<double>(&value)) {
    // JSON has no word for these.
    const bool finite = std::isfinite(*number);
    out += finite ? fmt::format("{}", *number) : fmt::format("\"{}\"", *number);
  } else if (const auto* const flag = std::get_if<bool>(&value)) {
    out += *flag ? "true" : "false";
  } else if (const auto* const count = std::get_if<uint64_t>(&value)) {
    fmt::format_to(std::back_inserter(out), "{}", *count);
  } else {
    fmt::format_to(std::back_inserter(out), "{}", std::get<int64_t>(value));
  }
}

struct Logger {
  LogFormat format;
  std::unique_ptr<spdlog::logger> spdlog;
};

Logger make_logger(const LogOptions& options) {
  using Sink = spdlog::sinks::stdout_sink_base<spdlog::details::console_mutex>;
  LogFormat format = options.format;
  if (format == LogFormat::kAuto) {
    format = isatty(fileno(options.out)) == 1 ? LogFormat::kLogfmt : LogFormat::kJson;
  }
  const char* const pattern = format == LogFormat::kJson
                                  ? R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                  : "ts=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v";
  // shared_ptr: spdlog's logger takes its sink so; nobody else keeps it.
  auto logger = std::make_unique<spdlog::logger>("dray", std::make_shared<Sink>(options.out));
  logger->set_formatter(
      std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc, "\n"));
  logger->set_level(spdlog_level(options.level));
  logger->flush_on(level_enum::debug);  // A line that is not out at a crash explains nothing.
  return Logger{format, std::move(logger)};
}

Logger& logger() {
  static Logger instance = make_logger({});
  return instance;
}

}  // namespace

void log_start(const LogOptions& options) {
  logger() = make_logger(options);
}

void log_set_level(LogLevel level) {
  logger().spdlog->set_level(spdlog_level(level));
}

bool log_enabled(LogLevel level) {
  return logger().spdlog->should_log(spdlog_level(level));
}

void log_line(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  const Logger& to = logger();
  const std::string text = log_text(to.format, message, fields);
  to.spdlog->log(spdlog_level(level), spdlog::string_view_t(text.data(), text.size()));
}

std::optional<LogLevel> log_level(std::string_view name) {
  for (const LevelName& level : kLevels) {
    if (level.name == name) return level.level;
  }
  return std::nullopt;
}

std::string log_text(LogFormat format, std::string_view message, std::span<const LogField> fields) {
  ASSERT(format != LogFormat::kAuto);
  const bool json = format == LogFormat::kJson;
  std::string out = json ? "\"msg\":" : "msg=";
  append_log_text(out, message);
  for (const LogField& field : fields) {
    out += json ? ",\"" : " ";
    out += field.key;
    out += json ? "\":" : "=";
    append_value(out, format, field.value);
  }
  return out;
}

}  // namespace base
