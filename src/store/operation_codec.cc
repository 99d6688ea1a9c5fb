#include "store/operation_codec.h"

namespace store {
namespace {

constexpr uint64_t kVerbMax = core::kOperationVerbCount - 1;
constexpr uint64_t kStateMax = core::kOperationStateCount - 1;
constexpr uint64_t kFieldMax = core::kQueryFieldCount - 1;
constexpr uint64_t kCompareMax = core::kCompareCount - 1;

// Of the mask of changes, in the order in which the fields follow; then one bit for each number.
enum ChangeField : uint64_t {
  kChangedQueue = 1U << 0,
  kChangedType = 1U << 1,
  kChangedArgs = 1U << 2,
  kChangedPriority = 1U << 3,
  kChangedBackoff = 1U << 4,
  kChangedNumbers = 1U << 5,
};
constexpr uint64_t kChangesMax = (uint64_t{kChangedNumbers} << core::kNumberOptions.size()) - 1;

void encode_query(ByteWriter& out, const core::Query& query) {
  out.text(query.text);
  out.number(query.terms.size());
  for (const core::QueryTerm& term : query.terms) {
    out.byte(static_cast<uint8_t>(term.field));
    out.byte(static_cast<uint8_t>(term.compare));
    out.signed_number(term.number);
    out.text(term.path);
    out.number(term.texts.size());
    for (const std::string& text : term.texts) out.text(text);
  }
}

core::Query decode_query(ByteReader& in) {
  core::Query query;
  query.text = in.text();
  const uint64_t terms = in.number();
  for (uint64_t i = 0; i < terms && in.ok(); ++i) {
    core::QueryTerm term;
    term.field = static_cast<core::QueryField>(in.bounded(kFieldMax));
    term.compare = static_cast<core::Compare>(in.bounded(kCompareMax));
    term.number = in.signed_number();
    term.path = in.text();
    const uint64_t texts = in.number();
    for (uint64_t k = 0; k < texts && in.ok(); ++k) term.texts.emplace_back(in.text());
    query.terms.push_back(std::move(term));
  }
  return query;
}

uint64_t changes_mask(const core::JobChanges& changes) {
  uint64_t mask = 0;
  if (changes.queue) mask |= kChangedQueue;
  if (changes.type) mask |= kChangedType;
  if (changes.args) mask |= kChangedArgs;
  if (changes.priority) mask |= kChangedPriority;
  if (changes.options.backoff) mask |= kChangedBackoff;
  for (size_t i = 0; i < core::kNumberOptions.size(); ++i) {
    if (changes.options.*core::kNumberOptions[i].field) mask |= uint64_t{kChangedNumbers} << i;
  }
  return mask;
}

void encode_changes(ByteWriter& out, const core::JobChanges& changes) {
  out.number(changes_mask(changes));
  if (changes.queue) out.text(*changes.queue);
  if (changes.type) out.text(*changes.type);
  if (changes.args) out.text(*changes.args);
  if (changes.priority) out.signed_number(*changes.priority);
  if (changes.options.backoff) out.text(core::backoff_text(*changes.options.backoff));
  for (const core::NumberOption& option : core::kNumberOptions) {
    if (const auto value = changes.options.*option.field) out.signed_number(*value);
  }
}

// Ranges are looked at where the changes are made.
core::JobChanges decode_changes(ByteReader& in) {
  core::JobChanges changes;
  const uint64_t mask = in.bounded(kChangesMax);
  if (mask == 0) in.fail();
  if ((mask & kChangedQueue) != 0) changes.queue = in.text();
  if ((mask & kChangedType) != 0) changes.type = in.text();
  if ((mask & kChangedArgs) != 0) changes.args = in.text();
  if ((mask & kChangedPriority) != 0) changes.priority = in.signed_number();
  if ((mask & kChangedBackoff) != 0) {
    base::Result<core::Backoff> policy = core::parse_backoff(in.text());
    if (!policy) in.fail();
    if (policy) changes.options.backoff = *std::move(policy);
  }
  for (size_t i = 0; i < core::kNumberOptions.size(); ++i) {
    if ((mask & uint64_t{kChangedNumbers} << i) == 0) continue;
    changes.options.*core::kNumberOptions[i].field = in.signed_number();
  }
  return changes;
}

}  // namespace

void encode_operation(ByteWriter& out, const core::Operation& operation) {
  out.number(operation.number);
  out.byte(static_cast<uint8_t>(operation.verb));
  out.byte(static_cast<uint8_t>(operation.state));
  out.byte(operation.force ? 1 : 0);
  out.text(operation.queue);
  encode_query(out, operation.query);
  for (const uint64_t number :
       {operation.jobs_most, operation.rate, operation.matched, operation.done, operation.skipped,
        operation.next.value, operation.last.value}) {
    out.number(number);
  }
  out.signed_number(operation.started.ms);
  out.signed_number(operation.ended.ms);
  if (operation.verb == core::OperationVerb::kEdit) encode_changes(out, operation.changes);
}

core::Operation decode_operation(ByteReader& in) {
  core::Operation operation;
  operation.number = in.number();
  if (operation.number == 0) in.fail();
  operation.verb = static_cast<core::OperationVerb>(in.bounded(kVerbMax));
  operation.state = static_cast<core::OperationState>(in.bounded(kStateMax));
  operation.force = in.bounded(1) != 0;
  operation.queue = in.text();
  operation.query = decode_query(in);
  for (uint64_t* number :
       {&operation.jobs_most, &operation.rate, &operation.matched, &operation.done,
        &operation.skipped, &operation.next.value, &operation.last.value}) {
    *number = in.number();
  }
  operation.started.ms = in.signed_number();
  operation.ended.ms = in.signed_number();
  if (operation.verb == core::OperationVerb::kEdit) operation.changes = decode_changes(in);
  return operation;
}

}  // namespace store
