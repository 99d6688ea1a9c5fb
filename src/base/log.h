// LOG(kInfo, "listening", {"address", address}, {"port", port});
// One line per event with named fields: logfmt for people at a terminal, JSON for machines. What
// comes from outside cannot break a line or a terminal: control characters and bytes that are not
// UTF-8 are escaped, long values are cut. Secrets are never passed here, at no level.
#pragma once
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace base {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };
enum class LogFormat : uint8_t { kAuto, kLogfmt, kJson };  // kAuto: logfmt on a terminal.

inline constexpr size_t kLogValueBytesMax = 4096;  // A longer text is cut, and says so.

// One `key=value`. Borrows its texts until the line is written. Keys are our own, snake_case.
struct LogField {
  using Value = std::variant<std::string_view, int64_t, uint64_t, double, bool>;

  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const char* text) : key(name), value(std::string_view(text)) {}
  LogField(std::string_view name, const std::string& text)
      : key(name), value(std::string_view(text)) {}
  LogField(std::string_view name, bool flag) : key(name), value(flag) {}
  LogField(std::string_view name, double number) : key(name), value(number) {}
  template <std::signed_integral T>
  LogField(std::string_view name, T number) : key(name), value(int64_t{number}) {}
  template <std::unsigned_integral T>
  LogField(std::string_view name, T number) : key(name), value(uint64_t{number}) {}

  std::string_view key;
  Value value;
};

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kAuto;
  std::FILE* out = stderr;  // Must outlive all logging.
};

// Sets where and how to log; without it, LogOptions as they are.
// Threading: call before other threads log. Everything below may be called by any thread.
void log_start(const LogOptions& options);

// Changes the level while others log.
void log_set_level(LogLevel level);

bool log_enabled(LogLevel level);
void log_line(LogLevel level, std::string_view message, std::initializer_list<LogField> fields);

// Returns the level of "debug", "info", "warning" or "error".
std::optional<LogLevel> log_level(std::string_view name);

// Returns message and fields as they stand in a line, without time and level.
// Requires: format is not kAuto.
std::string log_text(LogFormat format, std::string_view message, std::span<const LogField> fields);

}  // namespace base

// Fields are not computed when the level is off.
#define LOG(level, message, ...)                                             \
  (::base::log_enabled(::base::LogLevel::level)                              \
       ? ::base::log_line(::base::LogLevel::level, (message), {__VA_ARGS__}) \
       : static_cast<void>(0))
