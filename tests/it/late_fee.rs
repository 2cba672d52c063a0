//! A late fee is told where a rule says how, and nowhere else.

use crate::served::{Served, order};
use pb::registry_service_client::RegistryServiceClient;
use premium_ledger::api::proto as pb;
use tonic::{Code, Status};

async fn put_rule(served: &Served, request_id: &str, industry: &str, value: &str) -> Result<u64, Status> {
    let header = pb::RowHeader {
        valid_from: "2026-07-01".to_owned(),
        document: "测试2号".to_owned(),
        ..Default::default()
    };
    let rule = pb::Rule {
        header: Some(header),
        name: "late_fee".to_owned(),
        platform_code: "*".to_owned(),
        province_code: "31".to_owned(),
        industry_code: industry.to_owned(),
        value: value.to_owned(),
    };
    let request = pb::PutRuleRequest { request_id: request_id.to_owned(), rule: Some(rule) };
    let mut client = RegistryServiceClient::new(served.channel.clone());
    Ok(client.put_rule(request).await?.into_inner().rule.unwrap().header.unwrap().row_id)
}

/// Freezes July of a province, declares 1000.01 yuan, and pays them on 20 August.
async fn pay_late(served: &Served, province: &str) -> pb::PeriodAccount {
    let (platform_code, province_code, period) = ("MEITUAN".to_owned(), province.to_owned(), "2026-07".to_owned());
    let request = pb::FreezePeriodRequest {
        request_id: format!("freeze-{province}"),
        platform_code: platform_code.clone(),
        province_code: province_code.clone(),
        period: period.clone(),
    };
    let frozen = served.statements().freeze_period(request).await.unwrap().into_inner().account.unwrap();
    assert_eq!(frozen.late_fee, None, "nothing is declared");
    let declaration = pb::Declaration {
        declaration_no: "D1".to_owned(),
        declared_on: "2026-08-05".to_owned(),
        amount: "1000.01".to_owned(),
    };
    let request = pb::RecordDeclarationRequest {
        request_id: format!("declare-{province}"),
        platform_code: platform_code.clone(),
        province_code: province_code.clone(),
        period: period.clone(),
        declaration: Some(declaration),
    };
    served.statements().record_declaration(request).await.unwrap();
    let payment = pb::Payment {
        receipt_no: "R1".to_owned(),
        paid_on: "2026-08-20".to_owned(),
        amount: "1000.01".to_owned(),
    };
    let request = pb::RecordPaymentRequest {
        request_id: format!("pay-{province}"),
        platform_code,
        province_code,
        period,
        payment: Some(payment),
    };
    served.statements().record_payment(request).await.unwrap().into_inner().account.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_that_is_paid_late_costs_what_the_rule_says() {
    let served = Served::sqlite().await;
    served.book(["310101", "320101"].map(|area| order(area, "2026-07-15", area)).into()).await;
    for (industry, value, field) in [
        ("instant_delivery", "rate=0.0005,due=15", "industry_code"),
        ("*", "rate=0.0005,due=31", "value"),
        ("*", "five", "value"),
    ] {
        let refused = put_rule(&served, "wrong", industry, value).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains(field), "{refused:?}");
    }
    let rule = put_rule(&served, "rule", "*", "rate=0.0005,due=15").await.unwrap();
    let late = pay_late(&served, "31").await.late_fee.unwrap();
    assert_eq!((late.rule_id, late.due_on.as_str(), late.amount.as_str()), (rule, "2026-08-15", "2.500025"));
    assert_eq!(pay_late(&served, "32").await.late_fee, None, "no rule holds there");
    served.app.stop().await.unwrap();
}
