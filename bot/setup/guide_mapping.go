package setup

// mappingGuide says or changes how ServiceNow incidents are filled, for a tenant
// whose guide has finished without it or whose instance has changed. What is
// proved replaces what was; until then the earlier mapping stays in use.
func mappingGuide() *Guide {
	signIn := unattended()
	signIn.When = func(c Context) bool { return withInstance(c) && c.Option(OptionUnattended) == "" }
	signIn.Only = "where an earlier run has not made it"
	return &Guide{
		ID: Mapping, Revision: 1,
		Title: "How ServiceNow incidents are filled",
		What:  "Asks the ServiceNow admin where incidents go, looks every name up on the instance, and proves it with a test incident that is cancelled. Until then nothing changes.",
		Steps: recorded([]Spec{
			signIn,
			mapping(),
			after(incidents(), StepUnattended, StepMapping),
		}),
	}
}

// MappingFacts are what a run was told about the filling of incidents, to begin
// another one with.
func MappingFacts(r *Run) map[string]Fact {
	out := map[string]Fact{}
	for _, name := range mappingAsked {
		if f, ok := r.Facts["incident.ask."+name]; ok {
			out["incident.ask."+name] = f
		}
	}
	return out
}
