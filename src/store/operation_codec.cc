#include "store/operation_codec.h"

namespace store {
namespace {

constexpr uint64_t kVerbMax = core::kOperationVerbCount - 1;
constexpr uint64_t kStateMax = core::kOperationStateCount - 1;
constexpr uint64_t kFieldMax = core::kQueryFieldCount - 1;
constexpr uint64_t kCompareMax = core::kCompareCount - 1;

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
  return operation;
}

}  // namespace store
