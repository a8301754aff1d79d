package setup

import "keyturn/bot"

// cleanupGuide removes what either guide, or a person by hand, left behind.
func cleanupGuide() *Guide {
	instance := []StepID{StepRolesRemove, StepUserRemove, StepOAuthRemove, StepFlagsRestore}
	return &Guide{
		ID: Cleanup, Revision: 1,
		Title:   "Clean up what a setup left behind",
		What:    "Finds what either guide, or years ago a person by hand, left at Entra, on the instance and in the admin center, and removes it with its owners' word.",
		Warning: "Nothing is assumed and nothing is removed without its owner's approval. What is still in use stops working when it is removed.",
		Steps: recorded([]Spec{
			before(Cleanup),
			after(signInEntra(), StepBefore),
			after(signInServiceNow(), StepBefore),
			after(discoverEntra(), StepSignInEntra),
			after(discoverServiceNow(), StepSignInServiceNow, StepDiscoverEntra),
			after(choose(StepChooseEntra, bot.EntraAdmin, "at Entra", factFoundEntra, factChosenEntra), StepDiscoverEntra),
			after(choose(StepChooseServiceNow, bot.ServiceNowAdmin, "on the instance", factFoundServiceNow, factChosenServiceNow), StepDiscoverServiceNow),
			after(m365Remove(), StepDiscoverEntra),
			after(rolesRemove(), StepChooseServiceNow),
			after(userRemove(), StepChooseServiceNow),
			after(oauthRemove(), StepChooseServiceNow),
			after(flagsRestore(), StepChooseServiceNow),
			after(appRemove(), instance...),
			after(secretsRemove(), StepChooseEntra, StepOAuthRemove),
			after(appsRemove(), append([]StepID{StepChooseEntra, StepM365Remove, StepAppRemove, StepSecretsRemove}, instance...)...),
		}),
	}
}
