// How results are printed: as a table for people, or as JSON for programs. Results go to stdout,
// all else to stderr.
#pragma once
#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.h"
#include "dray/value.h"

namespace cli {

// kJson is always one document; kNdjson one object a line, as soon as it is there.
enum class Form : uint8_t { kTable, kWide, kJson, kNdjson };

inline bool is_json(Form form) {
  return form == Form::kJson || form == Form::kNdjson;
}

// -o, for every command that prints a result.
void add_output(CLI::App& app, Form& form);

struct Cell {
  std::string text = {};
  Colour colour = Colour::kNone;
};

struct Column {
  std::string name;
  bool only_wide = false;
};

// Records of one kind. Threading: one owner.
class Listing {
 public:
  // `name` is that of the array in kJson.
  Listing(std::string name, std::vector<Column> columns)
      : name_(std::move(name)), columns_(std::move(columns)) {}

  // `json` is the record as one object. Requires: a cell for each column.
  void add(std::vector<Cell> cells, std::string json);
  void clear() { rows_.clear(); }
  bool empty() const { return rows_.empty(); }

  // `width` is how many characters a line of kTable may have; 0: any number. The last column is
  // cut to it.
  std::string text(Form form, bool coloured, size_t width) const;
  // To stdout, as it is.
  void print(Form form) const;

 private:
  struct Row {
    std::vector<Cell> cells;
    std::string json;
  };

  std::string name_;
  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

// A list of maps of which not all fields are known: those of `first` in their order, then, in
// kWide, all others by name.
Listing listing_of(std::string name, const std::vector<dray::Value>& records,
                   const std::vector<std::string>& first);

// A map as lines "field  value"; times and durations as people read them.
std::string record_text(const dray::Value& record, bool coloured);

// A field of a record as people read it: ..._ms as a time or a duration, all else as it is.
std::string field_text(std::string_view field, const dray::Value& value);

std::string json_of(const dray::Value& value);
// Prints one record; `text` is for people.
void print_record(Form form, const dray::Value& record, const std::string& text);

}  // namespace cli
