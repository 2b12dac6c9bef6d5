-- What was counted is forgotten: every quota begins anew.

DROP TABLE quota_meters;
