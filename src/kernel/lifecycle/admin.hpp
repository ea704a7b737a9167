#pragma once
// The admin listener: /healthz, /readyz, /metrics. Loopback unless told otherwise: it asks nobody who they are.
#include "loggia/kernel/module.hpp"

namespace loggia {

std::shared_ptr<HttpServer> admin_server(Kernel& kernel);
/// `{status, checks: [{name, status, detail?}]}` with 200 or 503 (contract, section 1).
HttpResponse readiness_response(const std::vector<Check>& checks);

}  // namespace loggia
