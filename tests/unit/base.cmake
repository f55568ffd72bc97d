weft_unit_test(pool)
