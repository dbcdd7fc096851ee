package session

import (
	"fmt"
	"maps"
	"net/url"
	"slices"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack/identity/v3/tokens"

	"profilesync/internal/senlin/clouds"
)

const serviceType = "clustering"

// endpoint finds the clustering service. Without a region there must be no
// choice of regions: the first one may be the wrong one to delete things in.
func endpoint(cloud clouds.Cloud, catalog []tokens.CatalogEntry) (address *url.URL, region string, err error) {
	if cloud.Override != "" {
		return checked(cloud.Override, cloud.Region, "clustering_endpoint_override of "+cloud.String())
	}
	addresses := addressesByRegion(catalog, cloud.Reach)
	regions := slices.Sorted(maps.Keys(addresses))
	region = cloud.Region
	if region == "" && len(regions) == 1 {
		region = regions[0]
	}
	if address, ok := addresses[region]; ok {
		return checked(address, region, "catalog's URL of the clustering service")
	}
	services := make([]string, 0, len(catalog))
	for _, service := range catalog {
		services = append(services, service.Type)
	}
	slices.Sort(services)
	services = slices.Compact(services)
	switch {
	case !slices.Contains(services, serviceType):
		err = fmt.Errorf("%w in the catalog of %s, only %q", ErrNoService, cloud, services)
	case cloud.Region == "" && len(regions) > 0:
		err = fmt.Errorf("%w can be told from the others of %s without a region: name one of %q", ErrNoService, cloud, regions)
	default:
		err = fmt.Errorf("%w in region %q of %s with a URL for %s use, only in %q",
			ErrNoService, cloud.Region, cloud, cloud.Reach, regions)
	}
	return nil, "", err
}

// addressesByRegion is the first URL in each region.
func addressesByRegion(catalog []tokens.CatalogEntry, reach gophercloud.Availability) map[string]string {
	addresses := map[string]string{}
	for _, service := range catalog {
		for _, e := range service.Endpoints {
			if service.Type != serviceType || gophercloud.Availability(e.Interface) != reach {
				continue
			}
			region := e.RegionID
			if region == "" {
				region = e.Region
			}
			if _, known := addresses[region]; !known {
				addresses[region] = e.URL
			}
		}
	}
	return addresses
}

func checked(address, region, what string) (*url.URL, string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, "", fmt.Errorf("%w: %s is not an http(s) URL", ErrNoService, what)
	}
	return u, region, nil
}
