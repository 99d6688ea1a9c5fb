#include "cli/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/assert.h"
#include "base/time.h"
#include "cli/json_text.h"
#include "config/duration.h"

namespace cli {
namespace {

// Below this a column says nothing any more.
constexpr size_t kLastColumnMin = 8;
// Values of records that nobody knows may be long.
constexpr size_t kValueCharactersMax = 400;
// What is counted in milliseconds is a point in time from here on (the year 2001).
constexpr int64_t kFirstTimeMs = 1'000'000'000'000;

bool ends_with_ms(std::string_view field) {
  return field.ends_with("_ms");
}

std::string without_unit(std::string_view field) {
  return std::string(ends_with_ms(field) ? field.substr(0, field.size() - 3) : field);
}

// Fields that a table shows; objects in it would be unreadable.
bool is_plain(const dray::Value& value) {
  return value.kind != dray::Value::Kind::kMap;
}

}  // namespace

void add_output(CLI::App& app, Form& form) {
  app.add_option_function<std::string>(
         "-o,--output",
         [&form](const std::string& word) {
           form = word == "wide"     ? Form::kWide
                  : word == "json"   ? Form::kJson
                  : word == "ndjson" ? Form::kNdjson
                                     : Form::kTable;
         },
         "table (for people), wide (with all columns), json (one document) or ndjson (one object "
         "a line)")
      ->check(CLI::IsMember({"table", "wide", "json", "ndjson"}))
      ->type_name("FORM");
}

void Listing::add(std::vector<Cell> cells, std::string json) {
  ASSERT(cells.size() == columns_.size());
  rows_.push_back({std::move(cells), std::move(json)});
}

std::string Listing::text(Form form, bool coloured, size_t width) const {
  std::string out;
  if (form == Form::kNdjson) {
    for (const Row& row : rows_) out += row.json + "\n";
    return out;
  }
  if (form == Form::kJson) {
    for (const Row& row : rows_) out += (out.empty() ? "" : ",") + row.json;
    return fmt::format("{{\"{}\":[{}]}}\n", name_, out);
  }
  std::vector<std::string> header;
  for (const Column& column : columns_) {
    if (form == Form::kWide || !column.only_wide) header.push_back(column.name);
  }
  Table table(std::move(header));
  for (const Row& row : rows_) {
    std::vector<std::string> cells;
    std::vector<Colour> colours;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (form != Form::kWide && columns_[i].only_wide) continue;
      cells.push_back(row.cells[i].text);
      colours.push_back(row.cells[i].colour);
    }
    table.add(std::move(cells), std::move(colours));
  }
  if (form == Form::kTable && width > 0) table.fit(width, kLastColumnMin);
  return table.text(coloured);
}

void Listing::print(Form form) const {
  fmt::print("{}", text(form, stdout_is_coloured(), stdout_columns()));
}

Listing listing_of(std::string name, const std::vector<dray::Value>& records,
                   const std::vector<std::string>& first) {
  std::vector<std::string> fields;
  for (const std::string& field : first) {
    const auto has = [&](const dray::Value& record) { return record.find(field) != nullptr; };
    if (std::ranges::any_of(records, has)) fields.push_back(field);
  }
  std::vector<Column> columns;
  for (const std::string& field : fields) columns.push_back({without_unit(field)});
  std::vector<std::string> others;
  for (const dray::Value& record : records) {
    for (size_t i = 0; i + 1 < record.items.size(); i += 2) {
      const std::string& field = record.items[i].text;
      const bool is_known = std::ranges::find(fields, field) != fields.end() ||
                            std::ranges::find(others, field) != others.end();
      if (!is_known && is_plain(record.items[i + 1])) others.push_back(field);
    }
  }
  std::ranges::sort(others);
  for (const std::string& field : others) columns.push_back({without_unit(field), true});
  fields.insert(fields.end(), others.begin(), others.end());
  Listing listing(std::move(name), std::move(columns));
  for (const dray::Value& record : records) {
    std::vector<Cell> cells;
    for (const std::string& field : fields) {
      const dray::Value* value = record.find(field);
      std::string text = value == nullptr ? std::string() : field_text(field, *value);
      const Colour colour = field == "state" ? colour_of(text) : Colour::kNone;
      cells.push_back({std::move(text), colour});
    }
    listing.add(std::move(cells), json_of(record));
  }
  return listing;
}

std::string field_text(std::string_view field, const dray::Value& value) {
  using Kind = dray::Value::Kind;
  switch (value.kind) {
    case Kind::kNil:
      return "";
    case Kind::kInteger:
      if (!ends_with_ms(field)) return std::to_string(value.integer);
      if (value.integer >= kFirstTimeMs) return base::rfc3339(base::WallTime{value.integer});
      return config::duration_text(std::chrono::milliseconds(value.integer));
    case Kind::kText:
      return shortened(value.text, kValueCharactersMax);
    case Kind::kArray: {
      const auto is_word = [](const dray::Value& item) { return item.kind == Kind::kText; };
      if (!std::ranges::all_of(value.items, is_word)) return json_of(value);
      std::string words;
      for (const dray::Value& item : value.items) {
        words += (words.empty() ? "" : " ") + printable(item.text);
      }
      return words;
    }
    default:
      return shortened(json_of(value), kValueCharactersMax);
  }
}

std::string record_text(const dray::Value& record, bool coloured) {
  size_t width = 0;
  for (size_t i = 0; i + 1 < record.items.size(); i += 2) {
    width = std::max(width, without_unit(record.items[i].text).size());
  }
  std::string out;
  for (size_t i = 0; i + 1 < record.items.size(); i += 2) {
    const std::string& field = record.items[i].text;
    const std::string value = field_text(field, record.items[i + 1]);
    const std::string name = fmt::format("{:<{}}", without_unit(field), width);
    const Colour colour = field == "state" ? colour_of(value) : Colour::kNone;
    out += painted(name, Colour::kDim, coloured) + "  " + painted(value, colour, coloured) + "\n";
  }
  return out;
}

std::string json_of(const dray::Value& value) {
  std::string json;
  append_json(value, json);
  return json;
}

void print_record(Form form, const dray::Value& record, const std::string& text) {
  fmt::print("{}", is_json(form) ? json_of(record) + "\n" : text);
}

}  // namespace cli
