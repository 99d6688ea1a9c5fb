// The query language of JOB.LIST, JOB.COUNT and of all verbs with WHERE: terms with spaces between
// them that all have to hold, `field:value`. docs/queries.md has the fields. The same for every
// door. Threading: none; a free function.
#pragma once

#include <string_view>

#include "base/result.h"
#include "core/query.h"

namespace protocol {

// Returns the query; one without terms fits all jobs.
// Errors: BADREQ names the term and what could stand there; TOOBIG.
base::Result<core::Query> parse_query(std::string_view text);

}  // namespace protocol
