weft_unit_test(pool)
weft_unit_test(field_rules)
