"""Move customers, audiences, referrals, coupons and inventories between DataFrames or files and Talon.One."""
