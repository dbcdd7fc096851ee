package clouds

import (
	"strconv"

	"github.com/gophercloud/utils/openstack/clientconfig"
)

// envvars is the name that OpenStack clients give the cloud of the OS_* variables.
const envvars = "envvars"

// fromEnvironment takes the cloud that the OS_* variables describe.
func fromEnvironment(options Options) (Cloud, error) {
	first := func(names ...string) string {
		for _, name := range names {
			if value := options.Getenv(name); value != "" {
				return value
			}
		}
		return ""
	}
	insecure, err := strconv.ParseBool(first("OS_INSECURE"))
	verify := err != nil || !insecure
	entry := clientconfig.Cloud{
		RegionName:     first("OS_REGION_NAME"),
		EndpointType:   first("OS_INTERFACE", "OS_ENDPOINT_TYPE"),
		CACertFile:     first("OS_CACERT"),
		ClientCertFile: first("OS_CERT"),
		ClientKeyFile:  first("OS_KEY"),
		Verify:         &verify,
		AuthInfo: &clientconfig.AuthInfo{
			AuthURL:                     first("OS_AUTH_URL"),
			Token:                       first("OS_TOKEN", "OS_AUTH_TOKEN"),
			Username:                    first("OS_USERNAME"),
			UserID:                      first("OS_USER_ID"),
			Password:                    first("OS_PASSWORD"),
			ApplicationCredentialID:     first("OS_APPLICATION_CREDENTIAL_ID"),
			ApplicationCredentialName:   first("OS_APPLICATION_CREDENTIAL_NAME"),
			ApplicationCredentialSecret: first("OS_APPLICATION_CREDENTIAL_SECRET"),
			SystemScope:                 first("OS_SYSTEM_SCOPE"),
			ProjectName:                 first("OS_PROJECT_NAME", "OS_TENANT_NAME"),
			ProjectID:                   first("OS_PROJECT_ID", "OS_TENANT_ID"),
			UserDomainName:              first("OS_USER_DOMAIN_NAME"),
			UserDomainID:                first("OS_USER_DOMAIN_ID"),
			ProjectDomainName:           first("OS_PROJECT_DOMAIN_NAME"),
			ProjectDomainID:             first("OS_PROJECT_DOMAIN_ID"),
			DomainName:                  first("OS_DOMAIN_NAME"),
			DomainID:                    first("OS_DOMAIN_ID"),
			DefaultDomain:               first("OS_DEFAULT_DOMAIN"),
		},
	}
	return assemble(options, "", first("OS_CLUSTERING_ENDPOINT_OVERRIDE"), entry)
}
