package answer

// Sampler lets tests watch draws and leave the noise out; outside of tests NewGate takes *dp.Sampler alone.
type Sampler = sampler

// NewGateWith is a gate over a test's sampler.
func NewGateWith(s Sampler) *Gate { return &Gate{sampler: s} }
