// The query language of JOB.LIST, JOB.COUNT and of all verbs with WHERE: terms with spaces between
// them that all have to hold, `field:value`. docs/queries.md has the fields. The same for every
// door. Threading: none; a free function.
#pragma once

#include <string_view>

#include "base/result.h"
#include "core/query.h"

namespace protocol {

// Returns the query. Errors: BADREQ names the term and what could stand there; TOOBIG. A text
// without terms is taken for a mistake, most often a variable that was empty: `state:*` says all
// jobs.
base::Result<core::Query> parse_query(std::string_view text);

}  // namespace protocol
