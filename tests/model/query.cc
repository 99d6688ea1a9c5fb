#include "model/query.h"

#include <algorithm>
#include <map>

#include "model/step.h"

namespace model {
namespace {

constexpr size_t kQueryBytesMax = 4'096;
constexpr int64_t kNumberMax = 1'000'000'000;

bool is_state(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(State::kExpired); ++i) {
    if (name == name_of(static_cast<State>(i))) return true;
  }
  return false;
}

// The digits behind '>', which is cut off with them; what is left is the unit.
std::optional<int64_t> take_above(std::string& text) {
  if (text.empty() || text[0] != '>') return std::nullopt;
  const size_t end = std::min(text.find_first_not_of("0123456789", 1), text.size());
  const std::optional<int64_t> number = number_of(text.substr(1, end - 1));
  text.erase(0, end);
  if (!number || *number > kNumberMax) return std::nullopt;
  return number;
}

bool fits(const std::string& value, bool prefix, const std::string& name) {
  return prefix ? name.compare(0, value.size(), value) == 0 : name == value;
}

}  // namespace

std::optional<Query> Query::parse(const std::string& text) {
  Query query;
  if (text.size() > kQueryBytesMax) return std::nullopt;
  for (size_t from = 0; from < text.size();) {
    const size_t to = std::min(text.find(' ', from), text.size());
    if (to > from) {
      const std::optional<Term> term = parse_term(text.substr(from, to - from));
      if (!term) return std::nullopt;
      query.terms_.push_back(*term);
    }
    from = to + 1;
  }
  if (query.terms_.empty()) return std::nullopt;
  return query;
}

std::optional<Query::Term> Query::parse_term(const std::string& text) {
  static const std::map<std::string, int64_t> kUnitsMs = {
      {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  const size_t colon = text.find(':');
  if (colon == std::string::npos || colon + 1 == text.size()) return std::nullopt;
  Term term;
  term.name = text.substr(0, colon);
  term.value = text.substr(colon + 1);
  if (term.name == "state") return is_state(term.value) ? std::optional(term) : std::nullopt;
  if (term.name == "id") return valid_id(term.value) ? std::optional(term) : std::nullopt;
  if (term.name == "queue" || term.name == "type") {
    term.prefix = term.value.back() == '*';
    if (term.prefix) term.value.pop_back();
    const bool valid = (term.prefix && term.value.empty()) || valid_name(term.value);
    return valid ? std::optional(term) : std::nullopt;
  }
  if (term.name != "attempt" && term.name != "age") return std::nullopt;
  const std::optional<int64_t> above = take_above(term.value);
  if (!above) return std::nullopt;
  term.above = *above;
  if (term.name == "attempt") return term.value.empty() ? std::optional(term) : std::nullopt;
  const auto unit = kUnitsMs.find(term.value);
  if (unit == kUnitsMs.end()) return std::nullopt;
  term.above *= unit->second;
  return term;
}

bool Query::holds(const JobView& job, Now now) const {
  return std::all_of(terms_.begin(), terms_.end(),
                     [&](const Term& term) { return term_holds(term, job, now); });
}

bool Query::term_holds(const Term& term, const JobView& job, Now now) {
  if (term.name == "state") return term.value == name_of(job.state);
  if (term.name == "id") return term.value == job.id;
  if (term.name == "queue") return fits(term.value, term.prefix, job.queue);
  if (term.name == "type") return fits(term.value, term.prefix, job.type);
  if (term.name == "attempt") return job.attempt > term.above;
  return now.wall_ms - job.pushed_wall_ms > term.above;
}

}  // namespace model
