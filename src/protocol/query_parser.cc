#include "protocol/query_parser.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/base32.h"
#include "core/limits.h"
#include "protocol/text.h"
#include "protocol/words.h"

namespace protocol {
namespace {

using core::Compare;
using core::QueryField;
using core::QueryTerm;

// By core::QueryField. The last two take a path behind a dot.
constexpr std::array<std::string_view, core::kQueryFieldCount> kFields = {
    "state",   "queue", "type",   "id",    "key", "priority", "attempt",
    "crashes", "age",   "worker", "error", "tag", "meta",     "args"};

struct Unit {
  std::string_view name;
  int64_t ms;
};
constexpr std::array<Unit, 6> kUnits = {{{"ms", 1},
                                         {"s", 1'000},
                                         {"m", 60'000},
                                         {"h", 3'600'000},
                                         {"d", 86'400'000},
                                         {"w", 604'800'000}}};

// One term as it stands in the text: field and values, without quotes.
struct Raw {
  std::string_view whole;
  std::string_view field;
  std::vector<std::string> values;
  bool is_quoted = false;  // One of the values; it is taken as it is.
};

template <class... Args>
tl::unexpected<base::Error> bad_term(std::string_view term, fmt::format_string<Args...> format,
                                     Args&&... args) {
  return bad_field("query", "term '{}' {}", printable(term),
                   fmt::format(format, std::forward<Args>(args)...));
}

// Takes a value up to a comma or a space outside of quotes from `text`.
base::Result<std::string> take_value(std::string_view& text, Raw& raw) {
  std::string value;
  if (!text.starts_with('"')) {
    const size_t end = std::min(text.find_first_of(", "), text.size());
    value = text.substr(0, end);
    text.remove_prefix(end);
    return value;
  }
  raw.is_quoted = true;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    value.push_back(text[i]);
  }
  return bad_term(raw.field, "has a quote that is not closed");
}

// Takes one term from `text`, which begins with it.
base::Result<Raw> take_term(std::string_view& text) {
  Raw raw;
  const std::string_view before = text;
  const size_t colon = text.find_first_of(": ");
  if (colon == std::string_view::npos || text[colon] == ' ' || colon == 0) {
    return bad_term(text.substr(0, text.find(' ')),
                    "is no field:value; give for example state:dead queue:emails");
  }
  raw.field = text.substr(0, colon);
  text.remove_prefix(colon + 1);
  raw.values.push_back(TRY(take_value(text, raw)));
  while (text.starts_with(',')) {
    text.remove_prefix(1);
    if (raw.values.size() == core::limits::kQueryValuesMax) {
      return base::fail(base::ErrorCode::kTooBig, "limit={} got=more values of {} in the query",
                        core::limits::kQueryValuesMax, printable(raw.field));
    }
    raw.values.push_back(TRY(take_value(text, raw)));
  }
  raw.whole = before.substr(0, before.size() - text.size());
  if (!text.empty() && !text.starts_with(' ')) {
    return bad_term(raw.whole, "goes on behind its quote: a space or a comma has to stand there");
  }
  return raw;
}

base::Result<QueryField> field_of(const Raw& raw, std::string& path) {
  std::string_view name = raw.field;
  const size_t dot = name.find('.');
  const bool has_path = dot != std::string_view::npos;
  if (has_path) {
    path = name.substr(dot + 1);
    name = name.substr(0, dot);
  }
  const auto found = std::ranges::find(kFields, name);
  if (found == kFields.end()) {
    const auto nearest = std::ranges::min_element(kFields, {}, [&](std::string_view field) {
      return edit_distance(lower_case(name), field);
    });
    return bad_term(raw.whole, "has no known field; did you mean {}? There are {}", *nearest,
                    fmt::join(kFields, " "));
  }
  const auto field = static_cast<QueryField>(found - kFields.begin());
  const bool wants_path = field == QueryField::kMeta || field == QueryField::kArgs;
  if (wants_path != has_path || (has_path && path.empty())) {
    return bad_term(raw.whole, "{}",
                    wants_path ? "needs a path: meta.field:value or args.user.id:42"
                               : "has a path, which only meta and args take");
  }
  if (path.size() > core::limits::kQueryPathBytesMax ||
      std::ranges::count(path, '.') >= static_cast<int64_t>(core::limits::kQueryPathPartsMax)) {
    return bad_term(raw.whole, "has too long a path: limit={} bytes and {} parts",
                    core::limits::kQueryPathBytesMax, core::limits::kQueryPathPartsMax);
  }
  return field;
}

base::Status read_states(const Raw& raw, QueryTerm& term) {
  for (const std::string& value : raw.values) {
    if (value == "*") {
      term.number = (1 << core::kJobStateCount) - 1;
      continue;
    }
    size_t state = 0;
    while (state < core::kJobStateCount &&
           core::job_state_name(static_cast<core::JobState>(state)) != value) {
      ++state;
    }
    if (state == core::kJobStateCount) {
      return bad_term(
          raw.whole,
          "has no known state: give waiting, scheduled, ready, running, succeeded, dead, "
          "cancelled, expired or *");
    }
    term.number |= int64_t{1} << state;
  }
  return {};
}

// Takes the comparison that stands in front of a number.
Compare take_compare(std::string_view& text) {
  struct Sign {
    std::string_view text;
    Compare compare;
  };
  static constexpr std::array<Sign, 5> kSigns = {{{">=", Compare::kAtLeast},
                                                  {"<=", Compare::kAtMost},
                                                  {">", Compare::kAbove},
                                                  {"<", Compare::kBelow},
                                                  {"=", Compare::kIs}}};
  for (const Sign& sign : kSigns) {
    if (!text.starts_with(sign.text)) continue;
    text.remove_prefix(sign.text.size());
    return sign.compare;
  }
  return Compare::kIs;
}

base::Status read_number(const Raw& raw, QueryTerm& term) {
  const bool is_age = term.field == QueryField::kAge;
  std::string_view text = raw.values.front();
  term.compare = take_compare(text);
  const char* const end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, term.number);
  const std::string_view unit(behind, static_cast<size_t>(end - behind));
  bool is_right = raw.values.size() == 1 && error == std::errc() && term.number >= 0;
  if (is_age) {
    const auto found = std::ranges::find(kUnits, unit, &Unit::name);
    is_right = is_right && found != kUnits.end() && term.compare != Compare::kIs &&
               term.number <= core::limits::kDurationMsMax / found->ms;
    if (is_right) term.number *= found->ms;
  } else {
    is_right = is_right && unit.empty();
  }
  if (is_right) return {};
  return bad_term(raw.whole, "{}",
                  is_age ? "is no age: give > or < and a number with ms, s, m, h, d or w (age:>1h)"
                         : "is no number: give 3, >3, >=3, <3 or <=3");
}

// Names may end in *: then they are the beginning of one.
base::Status read_names(Raw& raw, QueryTerm& term) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-";
  for (const std::string& value : raw.values) {
    std::string_view name = value;
    const bool is_beginning = name.ends_with('*');
    if (is_beginning) name.remove_suffix(1);
    if (name.find_first_not_of(kAllowed) != std::string_view::npos ||
        name.size() > core::limits::kNameBytesMax || (name.empty() && !is_beginning)) {
      return bad_term(raw.whole,
                      "is no name: give 1 to {} characters of A-Z a-z 0-9 _ . : -, or * "
                      "behind the beginning of one",
                      core::limits::kNameBytesMax);
    }
  }
  term.texts = std::move(raw.values);
  return {};
}

base::Status read_ids(const Raw& raw, QueryTerm& term) {
  for (const std::string& value : raw.values) {
    const auto id = base::base32_decode_u64(value);
    if (!id) return bad_term(raw.whole, "is no id: ids have {} characters", base::kBase32U64Length);
    term.texts.push_back(core::job_id_text(core::JobId{*id}));
  }
  return {};
}

base::Result<QueryTerm> term_of(Raw&& raw) {
  QueryTerm term;
  term.field = TRY(field_of(raw, term.path));
  if (std::ranges::any_of(raw.values, &std::string::empty) && !raw.is_quoted) {
    return bad_term(raw.whole, "has no value: for an empty one give \"\"");
  }
  switch (term.field) {
    case QueryField::kState:
      TRY(read_states(raw, term));
      return term;
    case QueryField::kQueue:
    case QueryField::kType:
      TRY(read_names(raw, term));
      return term;
    case QueryField::kId:
      TRY(read_ids(raw, term));
      return term;
    case QueryField::kPriority:
    case QueryField::kAttempt:
    case QueryField::kCrashes:
    case QueryField::kAge:
      TRY(read_number(raw, term));
      return term;
    default:
      term.texts = std::move(raw.values);
      return term;
  }
}

}  // namespace

base::Result<core::Query> parse_query(std::string_view text) {
  core::Query query;
  query.text = text;
  if (text.size() > core::limits::kQueryBytesMax) {
    return base::fail(base::ErrorCode::kTooBig, "limit={} got={} bytes of query",
                      core::limits::kQueryBytesMax, text.size());
  }
  while (true) {
    const size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    if (query.terms.size() == core::limits::kQueryTermsMax) {
      return base::fail(base::ErrorCode::kTooBig, "limit={} got=more terms in the query",
                        core::limits::kQueryTermsMax);
    }
    query.terms.push_back(TRY(term_of(TRY(take_term(text)))));
  }
  if (query.terms.empty()) return bad_field("query", "is empty: to mean all jobs, give state:*");
  return query;
}

}  // namespace protocol
