#pragma once

#include <string>

namespace tern::data::internal {

/// "id", "ID", "row_id", "id_row", "customer id", "customerID", "customerId"; not "paid" or "idle".
bool named_like_id(const std::string& name);

/// "Unnamed: 0", "Unnamed: 0.1": what readers call a first column without a name.
bool named_like_index(const std::string& name);

/// Named after somebody whom several rows may be of, and no more: "patient", "Customer No", "card_number"; not
/// "customers", "customer_age" or "card".
bool named_like_key(const std::string& name);

/// Named after a place in time or in an order, or a quantity, each value of which a table may hold equally often by
/// design: "year", "week_no", "rank", "age".
bool named_like_scale(const std::string& name);

/// Whether a name says that its values are days: "date", "Birth date", "start_day".
bool named_like_date(const std::string& name);

}  // namespace tern::data::internal
