# The guards of suspended grants. A grant rests when its owner or the authority says so, and when its purpose changes, which the
# authority then refuses (pipl-23): nobody resumes past that decision, and nobody allows another purpose by himself. A new purpose of
# the same class is an amendment, which is matched, reviewed, decided and signed as the first one was.
package carrel.transition

import data.carrel.purposes

pause := case.pause

# Other guards of this function ask for the row.
# regal ignore:argument-always-wildcard
holds(_, "pipl-23/described") if {
	purposes[pause.purpose]
	pause.reason >= data.carrel.defaults.application.reason_min
}

holds(_, "pipl-23/decided") if pause.office != "applicant"

holds(_, "pipl-23/pending") if pause.office == "applicant"

# What the authority stopped an owner does not start again.
holds(_, "sichuan-18/own-pause") if pause.office == "owner"
