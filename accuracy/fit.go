package accuracy

import "math"

// fit returns scale and shift with the least sum of (scale*p + shift - t)^2
// over all pixels (Ranftl et al. 2020, equation 4, in closed form). A constant
// p explains nothing: its scale is 0 and its shift the mean of t.
func fit(prediction, truth []float64) (scale, shift float64) {
	meanP, meanT := mean(prediction), mean(truth)
	if least, largest := extent(prediction); least == largest {
		return 0, meanT
	}
	var variance, covariance float64
	for i, p := range prediction {
		variance += (p - meanP) * (p - meanP)
		covariance += (p - meanP) * (truth[i] - meanT)
	}
	// Values as close as denormals have a range and yet no variance.
	if variance == 0 {
		return 0, meanT
	}
	scale = covariance / variance
	return scale, meanT - scale*meanP
}

// depthErrors compares depths 1/aligned and 1/truth of inverse depths, with
// aligned not under floor: AbsRel and RMSE, and delta, the part under a factor
// of 1.25 (Eigen et al. 2014).
func depthErrors(aligned, truth []float64, floor float64) (absRel, delta, rmse float64) {
	for i, t := range truth {
		a := math.Max(aligned[i], floor)
		absRel += math.Abs(t/a - 1)
		if math.Max(a/t, t/a) < 1.25 {
			delta++
		}
		rmse += (1/a - 1/t) * (1/a - 1/t)
	}
	n := float64(len(truth))
	return absRel / n, delta / n, math.Sqrt(rmse / n)
}

func mean(values []float64) float64 {
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func extent(values []float64) (least, largest float64) {
	least, largest = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		least, largest = math.Min(least, v), math.Max(largest, v)
	}
	return least, largest
}
