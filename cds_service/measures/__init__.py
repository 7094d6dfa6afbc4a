"""Pure statistics of predictions and what happened: discrimination, calibration, net benefit, groups, small cells."""
