#include "cli/push_line.h"

#include <simdjson.h>

#include <array>
#include <optional>

#include "cli/calendar.h"
#include "cli/terminal.h"
#include "config/duration.h"

namespace cli {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using dray::milliseconds;
using dray::PushOptions;
using simdjson::dom::element;

// The value of an element, or an error that names the field.
template <typename T>
Result<T> value_as(element value, std::string_view field, std::string_view what) {
  T out{};
  if (value.get(out) != simdjson::SUCCESS) {
    return base::fail(ErrorCode::kBadReq, "field={} must be {}", field, what);
  }
  return out;
}

Result<std::string> text_of(element value, std::string_view field) {
  return std::string(TRY(value_as<std::string_view>(value, field, "a text")));
}

Result<int> number_of(element value, std::string_view field) {
  const auto number = TRY(value_as<int64_t>(value, field, "a whole number"));
  if (number < -1'000'000 || number > 1'000'000'000) {
    return base::fail(ErrorCode::kBadReq, "field={} {} is out of range", field, number);
  }
  return static_cast<int>(number);
}

Result<milliseconds> duration_of(element value, std::string_view field) {
  if (value.is_int64()) return milliseconds(int64_t(value));
  const auto text =
      TRY(value_as<std::string_view>(value, field, "a duration such as \"5m\", or milliseconds"));
  return with_context(config::parse_duration(text), fmt::format("field={}", field));
}

Result<dray::WallTime> time_of(element value, std::string_view field) {
  if (value.is_int64()) return dray::WallTime(milliseconds(int64_t(value)));
  const auto text =
      TRY(value_as<std::string_view>(value, field, "a time in RFC 3339, or unix milliseconds"));
  const base::WallTime time = TRY(with_context(parse_time(text), fmt::format("field={}", field)));
  return dray::WallTime(milliseconds(time.ms));
}

Status read_meta(element value, PushOptions& options) {
  const auto object = TRY(value_as<simdjson::dom::object>(value, "meta", "an object of texts"));
  for (const auto& [field, text] : object) {
    options.meta.emplace_back(field, TRY(text_of(text, "meta")));
  }
  return {};
}

template <auto Member, auto Read>
Status read_into(element value, std::string_view field, PushOptions& options) {
  options.*Member = TRY(Read(value, field));
  return {};
}

Result<dray::OnDuplicate> on_duplicate_of(element value, std::string_view field) {
  return parse_on_duplicate(TRY(text_of(value, field)));
}

struct Field {
  std::string_view name;
  Status (*read)(element, std::string_view, PushOptions&);
};
constexpr std::array<Field, 16> kFields = {{
    {"delay", read_into<&PushOptions::delay, duration_of>},
    {"at", read_into<&PushOptions::at, time_of>},
    {"priority", read_into<&PushOptions::priority, number_of>},
    {"attempts", read_into<&PushOptions::attempts, number_of>},
    {"backoff", read_into<&PushOptions::backoff, text_of>},
    {"timeout", read_into<&PushOptions::timeout, duration_of>},
    {"soft_timeout", read_into<&PushOptions::soft_timeout, duration_of>},
    {"lease", read_into<&PushOptions::lease, duration_of>},
    {"expire", read_into<&PushOptions::expire, duration_of>},
    {"keep", read_into<&PushOptions::keep, duration_of>},
    {"crashes", read_into<&PushOptions::crashes, number_of>},
    {"key", read_into<&PushOptions::key, text_of>},
    {"on_duplicate", read_into<&PushOptions::on_duplicate, on_duplicate_of>},
    {"request", read_into<&PushOptions::request, text_of>},
    {"request_for", read_into<&PushOptions::request_for, duration_of>},
    {"meta", [](element value, std::string_view,
                PushOptions& options) { return read_meta(value, options); }},
}};

Status read_field(std::string_view name, element value, dray::NewJob& job) {
  if (name == "queue") {
    job.queue = TRY(text_of(value, name));
    return {};
  }
  if (name == "type") {
    job.type = TRY(text_of(value, name));
    return {};
  }
  if (name == "args") return {};  // Taken as it stands, below.
  for (const Field& field : kFields) {
    if (field.name == name) return field.read(value, name, job.options);
  }
  return base::fail(ErrorCode::kBadReq, "field={} is not known; see dray push --help",
                    printable(name));
}

}  // namespace

struct PushLineReader::Parser {
  simdjson::dom::parser dom;
  simdjson::ondemand::parser raw;

  // The text of the field args, which the DOM does not keep.
  Result<std::string> args_of(const simdjson::padded_string& line) {
    simdjson::ondemand::document document;
    simdjson::ondemand::object object;
    if (raw.iterate(line).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS) {
      return base::fail(ErrorCode::kBadReq, "the line is no JSON object");
    }
    simdjson::ondemand::value value;
    if (object.find_field_unordered("args").get(value) != simdjson::SUCCESS) return "{}";
    return raw_text(value);
  }

  static Result<std::string> raw_text(simdjson::ondemand::value value) {
    std::string_view text;
    simdjson::ondemand::json_type type{};
    auto fault = value.type().get(type);
    if (fault == simdjson::SUCCESS && type == simdjson::ondemand::json_type::object) {
      simdjson::ondemand::object object;
      fault = value.get_object().get(object);
      if (fault == simdjson::SUCCESS) fault = object.raw_json().get(text);
    } else if (fault == simdjson::SUCCESS && type == simdjson::ondemand::json_type::array) {
      simdjson::ondemand::array array;
      fault = value.get_array().get(array);
      if (fault == simdjson::SUCCESS) fault = array.raw_json().get(text);
    } else if (fault == simdjson::SUCCESS) {
      text = value.raw_json_token();
    }
    if (fault != simdjson::SUCCESS) {
      return base::fail(ErrorCode::kBadReq, "field=args cannot be read");
    }
    // The parser hands out the space behind a value with it.
    return std::string(text.substr(0, text.find_last_not_of(" \t\r\n") + 1));
  }
};

PushLineReader::PushLineReader() : parser_(std::make_unique<Parser>()) {}
PushLineReader::~PushLineReader() = default;

Result<dray::NewJob> PushLineReader::read(std::string_view line) {
  const simdjson::padded_string padded(line);
  // The whole line is checked first: reading on demand looks only at what it passes.
  element root;
  const auto fault = parser_->dom.parse(padded).get(root);
  if (fault != simdjson::SUCCESS) {
    return base::fail(ErrorCode::kBadReq, "no JSON: {}", simdjson::error_message(fault));
  }
  const auto object = TRY(value_as<simdjson::dom::object>(root, "line", "a JSON object"));
  dray::NewJob job;
  for (const auto& [name, value] : object) TRY(read_field(name, value, job));
  if (job.queue.empty()) return base::fail(ErrorCode::kBadReq, "field=queue is missing");
  if (job.type.empty()) return base::fail(ErrorCode::kBadReq, "field=type is missing");
  if (job.options.delay && job.options.at) {
    return base::fail(ErrorCode::kBadReq, "field=at delay and at exclude each other");
  }
  job.args = TRY(parser_->args_of(padded));
  return job;
}

Status check_json(std::string_view text) {
  simdjson::dom::parser parser;
  const auto fault = parser.parse(simdjson::padded_string(text)).error();
  if (fault == simdjson::SUCCESS) return {};
  return base::fail(ErrorCode::kBadReq, "the args are no JSON: {} (--raw pushes any bytes)",
                    simdjson::error_message(fault));
}

Result<dray::OnDuplicate> parse_on_duplicate(std::string_view text) {
  if (text == "return") return dray::OnDuplicate::kReturn;
  if (text == "error") return dray::OnDuplicate::kError;
  if (text == "replace") return dray::OnDuplicate::kReplace;
  return base::fail(ErrorCode::kBadReq, "field=on_duplicate must be return, error or replace");
}

}  // namespace cli
