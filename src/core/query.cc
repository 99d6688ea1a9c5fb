#include "core/query.h"

#include <algorithm>
#include <ranges>

#include "base/assert.h"
#include "base/json_path.h"
#include "core/queue.h"

namespace core {
namespace {

bool compares(Compare compare, int64_t value, int64_t with) {
  switch (compare) {
    case Compare::kIs:
      return value == with;
    case Compare::kAbove:
      return value > with;
    case Compare::kAtLeast:
      return value >= with;
    case Compare::kBelow:
      return value < with;
    case Compare::kAtMost:
      return value <= with;
  }
  return false;
}

bool any_fits(const QueryTerm& term, std::string_view text) {
  return std::ranges::any_of(
      term.texts, [&](const std::string& pattern) { return fits_pattern(pattern, text); });
}

bool has_words(const QueryTerm& term, std::string_view text) {
  const auto same = [](char a, char b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(a) == lower(b);
  };
  return std::ranges::any_of(term.texts, [&](const std::string& words) {
    return !std::ranges::search(text, words, same).empty() || words.empty();
  });
}

bool has_tag(const QueryTerm& term, const JobExtras& extras) {
  for (const auto& [field, value] : extras.meta) {
    if (field == "tag" && any_fits(term, value)) return true;
    if (field != "tags") continue;
    for (const auto part : std::views::split(value, ',')) {
      if (any_fits(term, std::string_view(part.begin(), part.end()))) return true;
    }
  }
  return false;
}

bool has_meta(const QueryTerm& term, const JobExtras& extras) {
  return std::ranges::any_of(extras.meta, [&](const auto& entry) {
    return entry.first == term.path && any_fits(term, entry.second);
  });
}

}  // namespace

bool fits_pattern(std::string_view pattern, std::string_view text) {
  if (!pattern.ends_with('*')) return pattern == text;
  return text.starts_with(pattern.substr(0, pattern.size() - 1));
}

uint8_t Query::states() const {
  uint8_t left = 0xff;
  for (const QueryTerm& term : terms) {
    if (term.field == QueryField::kState) left &= static_cast<uint8_t>(term.number);
  }
  return left;
}

bool is_of_header(QueryField field) {
  return field <= QueryField::kId || field == QueryField::kPriority;
}

bool Query::is_counted() const {
  return std::ranges::all_of(terms, [](const QueryTerm& term) {
    return term.field == QueryField::kState || term.field == QueryField::kQueue;
  });
}

bool Query::needs_record() const {
  return !std::ranges::all_of(terms, is_of_header, &QueryTerm::field);
}

bool header_fits(const QueryTerm& term, const Job& job) {
  switch (term.field) {
    case QueryField::kState:
      return (term.number >> static_cast<int>(job.state) & 1) != 0;
    case QueryField::kQueue:
      return any_fits(term, job.queue->name);
    case QueryField::kType:
      return any_fits(term, job.type->name);
    case QueryField::kId:
      return any_fits(term, job_id_text(job.id));
    case QueryField::kPriority:
      return compares(term.compare, job.priority, term.number);
    default:
      return true;  // Not of the header.
  }
}

bool record_fits(const QueryTerm& term, const Job& job, base::Now now) {
  ASSERT(job.record != nullptr, "job {} is not in memory", job.id.value);
  const JobRecord& record = *job.record;
  switch (term.field) {
    case QueryField::kKey:
      return record.has_key() && any_fits(term, record.extras->key);
    case QueryField::kAttempt:
      return compares(term.compare, record.attempt, term.number);
    case QueryField::kCrashes:
      return compares(term.compare, record.crashes, term.number);
    case QueryField::kAge:
      return compares(term.compare, (now.wall - record.pushed).count(), term.number);
    case QueryField::kWorker:
      return any_fits(term, record.attempt_last.worker);
    case QueryField::kError: {
      const Attempt* failure = last_failure(record);
      return failure != nullptr &&
             (has_words(term, failure->error_class) || has_words(term, failure->message));
    }
    case QueryField::kTag:
      return record.extras && has_tag(term, *record.extras);
    case QueryField::kMeta:
      return record.extras && has_meta(term, *record.extras);
    case QueryField::kArgs:
      return base::json_has(record.args, term.path,
                            [&](std::string_view value) { return any_fits(term, value); });
    default:
      return true;  // Of the header.
  }
}

}  // namespace core
