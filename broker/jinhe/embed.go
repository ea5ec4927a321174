package jinhe

import (
	_ "embed"
	"slices"

	"carrel/broker/catalogue"
)

//go:embed dataset.yaml
var datasetYAML []byte

//go:embed handover.dataset.yaml
var registryYAML []byte

//go:embed query.recipe.yaml
var queryRecipe []byte

//go:embed handover.recipe.yaml
var handoverRecipe []byte

// The names of the embedded files, for messages.
const (
	DatasetFile        = "dataset.yaml"
	RegistryFile       = "handover.dataset.yaml"
	QueryRecipeFile    = "query.recipe.yaml"
	HandoverRecipeFile = "handover.recipe.yaml"
)

// DatasetYAML returns the catalogue entry of the city's records (Dataset).
func DatasetYAML() []byte { return slices.Clone(datasetYAML) }

// RegistryYAML returns the catalogue entry of the registry for QC centres (Registry).
func RegistryYAML() []byte { return slices.Clone(registryYAML) }

// QueryRecipeYAML returns the recipe that makes Dataset's extract from the source tables.
func QueryRecipeYAML() []byte { return slices.Clone(queryRecipe) }

// HandoverRecipeYAML returns the recipe that makes Registry's extract from the source tables.
func HandoverRecipeYAML() []byte { return slices.Clone(handoverRecipe) }

// Entry parses one of the two catalogue entries, by Dataset or Registry, with the embedded code lists.
func Entry(dataset string) (*catalogue.Dataset, error) {
	lists, err := catalogue.Embedded()
	if err != nil {
		return nil, err
	}
	if dataset == Registry {
		return catalogue.Parse(RegistryFile, registryYAML, lists)
	}
	return catalogue.Parse(DatasetFile, datasetYAML, lists)
}

// HandoverColumns are the columns of cv_event that a QC centre asks for in the demo: without the month, which rows are
// cut by and which would make classes of one.
func HandoverColumns() []string {
	return []string{"event_id", "person_id", "hospital_id", "sex", "age_band", "district", "event_year", "kind", "subtype", "onset_to_door_min", "first_ecg_min",
		"door_to_needle_min", "door_to_balloon_min", "severity", "thrombolysis", "pci", "outcome_30d"}
}

// HospitalIDs are the city's hospitals, as a remit names them.
func HospitalIDs() []string {
	out := make([]string, len(hospitals))
	for i := range hospitals {
		out[i] = hospitals[i].id
	}
	return out
}
