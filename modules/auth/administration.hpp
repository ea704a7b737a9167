#pragma once
// Answers administrators, and writes down what they did. Whether the caller is one, the gateway has checked (Access::admin).
#include <memory>
#include "loggia/auth/contract.hpp"
#include "parts.hpp"

namespace loggia::auth {

class AdministrationHere final : public Administration {
 public:
  explicit AdministrationHere(std::shared_ptr<Parts> parts) : parts_{std::move(parts)} {}
  Async<AdminUsers> on(Context context, ListAccounts request) override;
  Async<AdminUser> on(Context context, UpdateAccount request) override;
  Async<Nothing> on(Context context, EndSessions request) override;
  Async<AuditEntries> on(Context context, ListAudit request) override;
  Async<Nothing> on(Context context, RecordAudit request) override;

 private:
  std::shared_ptr<Parts> parts_;
};

}  // namespace loggia::auth
